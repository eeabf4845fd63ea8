//! Lines in files of packages: earlyoom's arguments, what zsh reads (pure).

use super::{Action, Change, Kind, Plan};
use crate::provision::change::{Cause, Verb};
use crate::provision::edit::marked_block::{ManagedText, SHELL};
use crate::provision::host_base::observed::{BlockFile, Observed};
use crate::provision::host_base::record::BLOCK_ID;
use crate::provision::host_base::spec::{Block, BlockKind, HostSpec};
use crate::provision::state::digest;

/// The `id` of the change that has earlyoom read its arguments.
const RESTART: &str = "earlyoom/restart";
const ARGUMENTS: &str = "EARLYOOM_ARGS=";

pub(crate) fn blocks(spec: &HostSpec, observed: &Observed, plan: &mut Plan) {
    for block in &spec.blocks {
        let kind = match block.kind {
            BlockKind::EarlyOom => Kind::Earlyoom,
            BlockKind::Zsh => Kind::Zsh,
        };
        let change = Change::new(kind, format!("{BLOCK_ID}{}", block.path), &block.path);
        let change = missing_lines(block, change, spec, observed, plan);
        plan.changes.extend(change);
    }
    let written = |change: &Change| matches!(change.action, Some(Action::Block { .. }));
    let is_new = plan.changes.iter().any(|c| c.scope.kind == Kind::Earlyoom && written(c));
    let is_wanted = spec.blocks.iter().any(|block| block.kind == BlockKind::EarlyOom);
    if is_new || (is_wanted && observed.record.unfinished.contains_key(RESTART)) {
        let change = Change::new(Kind::Earlyoom, RESTART, "earlyoom: restart");
        let unit = "earlyoom.service".to_owned();
        plan.changes.push(change.done(Verb::Repair, Cause::Intent, Action::Restart { unit }));
    }
    no_longer_wanted(spec, observed, plan);
}

/// The change of one file; none if it has the lines.
fn missing_lines(
    block: &Block,
    change: Change,
    spec: &HostSpec,
    observed: &Observed,
    plan: &mut Plan,
) -> Option<Change> {
    let Block { kind, path, text } = block;
    let last = observed.record.made.get(&change.id);
    let file = match observed.blocks.get(path) {
        Some(BlockFile::Content(bytes)) => bytes.as_slice(),
        Some(BlockFile::Absent { directory }) => {
            if *kind == BlockKind::Zsh && !directory && !spec.packages.contains_key("zsh") {
                let why = "zsh is not installed: nothing reads it";
                return Some(change.reported(Cause::Intent, why).hint("add zsh to [packages]"));
            }
            &[]
        }
        Some(BlockFile::Refused(why)) => return Some(change.refused(Cause::Drift, why)),
        None => return None,
    };
    let (found, outside) =
        match SHELL.find(file).and_then(|found| Ok((found, SHELL.outside(file)?))) {
            Ok(parts) => parts,
            Err(error) => return Some(change.refused(Cause::Edited, error.to_string())),
        };
    if let Some(why) = of_a_person(*kind, &outside) {
        return Some(change.refused(Cause::Edited, why));
    }
    let (verb, cause) = match found {
        ManagedText::Present(found) if found == text.as_bytes() => {
            plan.adopt(change.id, &digest::of(found));
            return None;
        }
        ManagedText::Present(found) => {
            let found = digest::of(found);
            let begun = observed.record.unfinished.get(&change.id);
            if last != Some(&found) && begun != Some(&found) {
                let why = "a person changed its managed lines: not overwritten";
                return Some(change.refused(Cause::Edited, why));
            }
            (Verb::Repair, Cause::Intent)
        }
        ManagedText::Absent if last.is_some() => (Verb::Repair, Cause::Drift),
        ManagedText::Absent => (Verb::Add, Cause::Intent),
    };
    let action = Action::Block { path: path.clone(), text: text.clone() };
    let mut change = change.done(verb, cause, action);
    change.lines = text.lines().map(|line| format!("+ {line}")).collect();
    Some(change)
}

/// Why the lines are not put into a file, because of what it says besides them.
fn of_a_person(kind: BlockKind, outside: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(outside);
    let mut lines = text.lines().map(str::trim_start).filter(|line| !line.starts_with('#'));
    match kind {
        BlockKind::EarlyOom => lines
            .filter_map(|line| line.strip_prefix(ARGUMENTS))
            .any(|value| !is_of_the_package(value))
            .then(|| "a person set EARLYOOM_ARGS: not overwritten".to_owned()),
        BlockKind::Zsh => lines
            .any(|line| line.contains("/etc/profile") || line.contains(".zshrc.d"))
            .then(|| "it reads such files by itself already".to_owned()),
    }
}

/// Whether the arguments are those that the package comes with: how often it reports.
fn is_of_the_package(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']).trim();
    let interval = value.strip_prefix("-r").map_or(value, str::trim);
    interval.chars().all(|c| c.is_ascii_digit())
}

/// Lines that are no longer in the spec are reported: nothing is removed here.
fn no_longer_wanted(spec: &HostSpec, observed: &Observed, plan: &mut Plan) {
    let left: Vec<(&String, &str)> = observed
        .record
        .made
        .keys()
        .filter_map(|id| Some((id, id.strip_prefix(BLOCK_ID)?)))
        .filter(|(_, path)| !spec.blocks.iter().any(|block| block.path == *path))
        .collect();
    for (id, path) in left {
        let has_lines = matches!(observed.blocks.get(path), Some(BlockFile::Content(file))
            if matches!(SHELL.find(file), Ok(ManagedText::Present(_))));
        if !has_lines {
            plan.record.made.remove(id);
            continue;
        }
        let kind = if path.starts_with("/etc/zsh/") { Kind::Zsh } else { Kind::Earlyoom };
        let why = "has lines of this program that are no longer in host.toml: remove them by hand if they are not needed";
        let change = Change::new(kind, format!("left/{path}"), path);
        plan.changes.push(change.reported(Cause::Intent, why));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_package_comes_with_is_no_persons() {
        for value in ["\"-r 3600\"", "'-r 60'", "", "\"\"", " \"-r3600\" "] {
            let line = format!("# EARLYOOM_ARGS=\"-m 5\"\nEARLYOOM_ARGS={value}\n");
            assert_eq!(of_a_person(BlockKind::EarlyOom, line.as_bytes()), None, "{value}");
        }
        for value in ["\"-m 5\"", "\"-r 3600 -s 100\"", "'--avoid x'"] {
            let line = format!("  EARLYOOM_ARGS={value}");
            assert!(of_a_person(BlockKind::EarlyOom, line.as_bytes()).is_some(), "{value}");
        }
        let own = "if [[ -r /etc/profile ]]; then emulate sh -c '. /etc/profile'; fi\n";
        assert!(of_a_person(BlockKind::Zsh, own.as_bytes()).is_some());
        assert_eq!(of_a_person(BlockKind::Zsh, format!("# {own}").as_bytes()), None);
    }
}
