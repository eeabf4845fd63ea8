//! `provision t3 freeze` and `unfreeze`.

use crate::cli::exit::{Exit, Failure};
use crate::cli::output::print;
use crate::cli::provision::output::Output;
use crate::cli::provision::root_run::require_root;
use crate::t3::enforce::freeze;
use crate::t3::paths::Paths;
use crate::text::shown;
use serde_json::json;

pub(super) fn freeze(output: Output, why: &str) -> Result<Exit, Failure> {
    require_root("provision t3 freeze")?;
    freeze::freeze(&Paths::host(), why)?;
    output.result(&json!({"frozen": why}), || format!("frozen: {}\n", shown(why)))?;
    Ok(Exit::Done)
}

pub(super) fn unfreeze(output: Output) -> Result<Exit, Failure> {
    require_root("provision t3 unfreeze")?;
    let was = freeze::unfreeze(&Paths::host())?;
    let text = if was { "no longer frozen\n" } else { "versions were not frozen\n" };
    if output.json {
        output.json(&json!({"was_frozen": was}))?;
    } else {
        print(text)?;
    }
    Ok(Exit::Done)
}
