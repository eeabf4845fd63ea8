//! `provision t3 backups`: what backups there are.

use super::users::selected;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{error, of_user};
use crate::cli::provision::output::Output;
use crate::cli::provision::root_run::require_root;
use crate::sys::clock;
use crate::t3::backup;
use crate::t3::backup::protocol::Listed;
use crate::t3::paths::Paths;
use crate::text::shown;
use crate::text::table::align;
use serde_json::json;

pub(super) fn backups(output: Output, named: &[String]) -> Result<Exit, Failure> {
    require_root("provision t3 backups")?;
    let paths = Paths::host();
    let (mut found, mut exit) = (Vec::<(String, Listed, bool)>::new(), Exit::Done);
    for user in selected(&paths, named)? {
        match backup::list(&user, &paths) {
            Ok((list, record)) => found.extend(list.into_iter().map(|one| {
                let as_recorded = record.sha256.get(&one.id) == Some(&one.sha256);
                (user.clone(), one, as_recorded)
            })),
            Err(why) => {
                error(&of_user(&user, &shown(&why.to_string()).to_string()));
                exit = Exit::Failed;
            }
        }
    }
    let values: Vec<_> = found
        .iter()
        .map(|(user, one, as_recorded)| {
            json!({"user": user, "id": one.id, "time": one.id.time(), "database_bytes": one.database_bytes,
                   "attachments": one.attachments, "attachment_bytes": one.attachment_bytes,
                   "migration_level": one.migration_level, "environment": one.environment,
                   "as_recorded": as_recorded})
        })
        .collect();
    output.result(&json!({"backups": values}), || {
        let heading =
            ["USER", "ID", "MADE", "DATABASE", "ATTACHMENTS", "LEVEL", ""].map(str::to_owned);
        let row = |(user, one, as_recorded): &(String, Listed, bool)| {
            let mib = |bytes: u64| format!("{} MiB", bytes.div_ceil(1 << 20));
            [
                user.clone(),
                one.id.to_string(),
                clock::local(one.id.time()),
                mib(one.database_bytes),
                format!("{} ({})", one.attachments, mib(one.attachment_bytes)),
                one.migration_level.map_or_else(|| "-".to_owned(), |level| level.to_string()),
                if *as_recorded { String::new() } else { "changed since it was made".to_owned() },
            ]
        };
        align(&std::iter::once(heading).chain(found.iter().map(row)).collect::<Vec<_>>())
    })?;
    Ok(exit)
}
