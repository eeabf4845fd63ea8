//! The swap file: made once, never resized or removed (pure).

use super::{Action, Change, Kind, Plan, SwapSteps, missing};
use crate::provision::change::{Cause, Verb};
use crate::provision::edit::fstab::{self, FstabEntry};
use crate::provision::host_base::observed::{Observed, SwapFile};
use crate::provision::host_base::record::SWAP_ID;
use crate::provision::host_base::spec::HostSpec;
use crate::sys::fs::Attributes;

pub(crate) fn swap(spec: &HostSpec, observed: &Observed, plan: &mut Plan) {
    no_longer_wanted(spec, observed, plan);
    let (Some(swap), Some(facts)) = (&spec.swap, &observed.swap) else { return };
    let path = &swap.path;
    let id = format!("{SWAP_ID}{path}");
    let change = Change::new(Kind::Swap, &id, path);
    let refuse = |plan: &mut Plan, why: &str| {
        plan.changes.push(change.clone().refused(Cause::Drift, why));
    };
    let entry = match &facts.fstab {
        Ok(FstabEntry::Other(line)) => {
            return refuse(plan, &format!("/etc/fstab has it as something else: {line}"));
        }
        Ok(entry) => entry,
        Err(why) => return refuse(plan, &why.to_string()),
    };
    let makes_file = match &facts.file {
        SwapFile::Absent => true,
        SwapFile::Refused(why) => return refuse(plan, why),
        SwapFile::File { attributes, .. } if attributes.uid != 0 => {
            return refuse(plan, &format!("belongs to uid {}, not to root", attributes.uid));
        }
        SwapFile::File { has_signature: false, .. } => {
            let change = change.hint("move it away, or name another path");
            plan.changes.push(change.refused(Cause::Drift, "a file, but no swap: not overwritten"));
            return;
        }
        SwapFile::File { size, attributes, .. } => {
            close(path, *attributes, plan);
            report_size(path, *size, swap.size, plan);
            false
        }
    };
    if *entry == FstabEntry::Disabled {
        let why = "its line in /etc/fstab is a comment: a person wants it no longer";
        plan.changes.push(change.reported(Cause::Edited, why));
        return;
    }
    let (switches_on, adds_line) = (!facts.is_active, *entry == FstabEntry::Absent);
    if !makes_file && !switches_on && !adds_line {
        return plan.adopt(id, &swap.size.to_string());
    }
    if let Some(why) = facts.obstacle.as_deref().filter(|_| makes_file || switches_on) {
        return refuse(plan, why);
    }
    let cause = missing(observed, &id);
    let verb = if makes_file && cause == Cause::Intent { Verb::Add } else { Verb::Repair };
    let size = swap.size;
    let steps = SwapSteps { path: path.clone(), size, makes_file, switches_on, adds_line };
    let mut change = change.done(verb, cause, Action::Swap(steps));
    let steps = [
        (makes_file, format!("+ a file of {}", words(size))),
        (switches_on, "+ swapon".to_owned()),
        (adds_line, format!("+ /etc/fstab: {}", fstab::line(path))),
    ];
    change.lines = steps.into_iter().filter(|(is_due, _)| *is_due).map(|(_, line)| line).collect();
    plan.changes.push(change);
}

/// Whoever reads a swap file reads the memory of others.
fn close(path: &str, found: Attributes, plan: &mut Plan) {
    const OTHERS: u32 = 0o077;
    if found.mode & OTHERS == 0 {
        return;
    }
    let attributes = Attributes { mode: 0o600, ..found };
    let change = Change::new(Kind::Swap, format!("swap-mode{path}"), path);
    let change = change.from(format!("{:04o}", found.mode)).to("0600");
    let action = Action::Attributes { path: path.to_owned(), attributes };
    plan.changes.push(change.done(Verb::Repair, Cause::Drift, action));
}

fn report_size(path: &str, found: u64, wanted: u64, plan: &mut Plan) {
    if found != wanted {
        let change = Change::new(Kind::Swap, format!("swap-size{path}"), path);
        let change = change.from(words(found)).to(words(wanted));
        let why = "of another size: a swap file is never resized or removed";
        plan.changes.push(change.reported(Cause::Drift, why));
    }
}

fn words(bytes: u64) -> String {
    let (gib, mib) = (bytes >> 30, bytes >> 20);
    if gib << 30 == bytes { format!("{gib} GiB") } else { format!("{mib} MiB") }
}

fn no_longer_wanted(spec: &HostSpec, observed: &Observed, plan: &mut Plan) {
    let wanted = spec.swap.as_ref().map(|swap| swap.path.as_str());
    let made = observed.record.made.keys().filter_map(|id| id.strip_prefix(SWAP_ID));
    for path in made.filter(|path| wanted != Some(path)) {
        if !observed.left.contains(path) {
            plan.record.made.remove(&format!("{SWAP_ID}{path}"));
            continue;
        }
        let why = "a swap file of this program that is no longer in host.toml: it stays";
        let change = Change::new(Kind::Swap, format!("left/{path}"), path);
        let hint = format!(
            "swapoff {path}, then remove it and its line in /etc/fstab, if it is not needed"
        );
        plan.changes.push(change.reported(Cause::Intent, why).hint(hint));
    }
}

#[cfg(test)]
mod tests;
