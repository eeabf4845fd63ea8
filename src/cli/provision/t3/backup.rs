//! `provision t3 backup`: backs up the data of instances, one user after the other.

use super::users::{held, selected};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{error, of_user, warning};
use crate::cli::provision::output::Output;
use crate::cli::provision::root_run::require_root;
use crate::t3::backup::{self, Why};
use crate::t3::paths::Paths;
use crate::text::shown;
use crate::text::table::count;
use serde_json::json;

pub(super) fn backup(output: Output, named: &[String], daily: bool) -> Result<Exit, Failure> {
    require_root("provision t3 backup")?;
    let paths = Paths::host();
    let why = if daily { Why::Daily } else { Why::Manual };
    let (mut made, mut failed, mut without) = (Vec::new(), Vec::new(), Vec::new());
    for user in selected(&paths, named)? {
        match held(&paths, &user, || backup::take(&user, &why, &paths)) {
            Ok(one) => {
                let size = one.bytes.div_ceil(1 << 20);
                output.progress(&of_user(&user, &format!("{} ({size} MiB)", one.id)));
                for note in &one.notes {
                    warning(&of_user(&user, &shown(note).to_string()));
                }
                made.push(json!({"user": user, "id": one.id, "dir": one.dir, "bytes": one.bytes,
                                 "notes": one.notes}));
            }
            Err(why) if why.is_no_data() => without.push(user),
            Err(why) => {
                let text = why.to_string();
                error(&of_user(&user, &shown(&text).to_string()));
                failed.push(json!({"user": user, "kind": why.kind(), "why": text}));
            }
        }
    }
    let exit = if failed.is_empty() { Exit::Done } else { Exit::Failed };
    let (good, bad) = (made.len(), failed.len());
    let value = json!({"backed_up": made, "failed": failed, "without_data": without});
    output.result(&value, || format!("{} backed up, {bad} failed.\n", count(good, "instance")))?;
    Ok(exit)
}
