//! `list`: the snapshots of a user.

use crate::persist::capture::boot_id;
use crate::persist::context::Context;
use crate::persist::report::{ListReport, ListedSnapshot, Report};
use crate::snapshot::Summary;
use crate::sys::FileError;
use crate::text::escape;
use std::os::unix::ffi::OsStrExt;

/// Lists the snapshots, newest first. Notes name the invalid ones and foreign files.
pub fn list(context: &Context) -> Report {
    let mut report = ListReport::default();
    report.error = try_list(context, &mut report).err().map(Into::into);
    Report::List(report)
}

fn try_list(context: &Context, report: &mut ListReport) -> Result<(), FileError> {
    let Some(store) = context.store()? else { return Ok(()) };
    let (ids, foreign) = store.ids()?;
    let (mut newest, this_boot) = (true, boot_id());
    for id in ids {
        let read = store.read(id);
        let valid = read.is_ok();
        let (sessions, panes, summary, before_boot) = match read {
            Ok((_, snapshot)) => {
                let is_other = !snapshot.boot.is_empty() && snapshot.boot != this_boot;
                (snapshot.sessions(), snapshot.rows.len(), Summary::of(&snapshot), is_other)
            }
            Err(why) => {
                report.notes.push(why.to_string());
                (0, 0, Summary::default(), false)
            }
        };
        let newest = valid && std::mem::take(&mut newest);
        report.snapshots.push(ListedSnapshot {
            id: id.to_string(),
            sessions,
            panes,
            live: summary.live,
            lost: summary.lost,
            newest,
            valid,
            before_boot,
        });
    }
    let named = foreign.iter().map(|name| format!("not a snapshot: {}", escape(name.as_bytes())));
    report.notes.extend(named);
    Ok(())
}
