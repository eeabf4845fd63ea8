//! Commands that complete windows and sessions once all of them exist: names, titles, marks, zoom and
//! options (pure).

use super::arrange::{Session, Window, session_values};
use crate::agent::ConversationId;
use crate::persist::restore::step::{Start, Step};
use crate::tmux::Builder;
use crate::tmux::command::{self, Line, Target};
use crate::tmux::options::{self, KeptOption, Scope};
use crate::tmux::user_options::{self, Owner};

/// Selects the windows in the order in which they were visited, the current one last; nothing if there
/// is only one. Older snapshots do not have the whole order, but the last window.
pub(crate) fn select_windows(session: u32, windows: &[Window<'_>]) -> Vec<Line> {
    let mut visited: Vec<(u32, u32)> = Vec::new();
    for window in windows {
        let row = &window.first().row;
        let place = match row.stack {
            _ if row.window_flags.active => 0,
            0 if row.window_flags.last => 1,
            0 => continue,
            place => place,
        };
        visited.push((place, window.index));
    }
    visited.sort_unstable_by(|a, b| b.cmp(a));
    let several = windows.len() > 1;
    let visited = visited.into_iter().filter(|_| several);
    visited.map(|(_, index)| command::select_window(session, index)).collect()
}

/// Name, titles, options, marks and zoom of a window that was created: `automatic-rename` is set on
/// the window only if it differs from the server's.
pub(crate) fn window(window: &Window<'_>, builder: &Builder) -> Vec<Line> {
    let Some(id) = window.id else { return Vec::new() };
    let renames_automatically = builder.renames_automatically;
    let mut lines = Vec::new();
    if let Some(name) = window.name() {
        if window.plain_name(builder).is_none() {
            lines.push(command::rename_window(id, &builder.name(name)));
        }
        if !renames_automatically {
            lines.push(command::unset_window_option(id, "automatic-rename"));
        }
    } else if !renames_automatically && window.first().row.window_flags.automatic_rename {
        lines.push(command::set_kept(Target::Window(id), "-w", "automatic-rename", "on"));
    }
    let made: Vec<(&Step, u32)> = window
        .panes
        .iter()
        .zip(&window.pane_ids)
        .filter_map(|((_, step), id)| Some((*step, (*id)?)))
        .collect();
    for (step, id) in &made {
        lines.extend(step.row.title.as_ref().map(|title| command::set_title(*id, title)));
        lines.extend(mark(step, *id));
        if step.directory_hangs {
            lines.push(command::mark_directory(*id, Some(&step.row.cwd)));
        }
    }
    if window.panes.len() > 1 {
        let marked =
            |flag: fn(&Step) -> bool| made.iter().find(|(step, _)| flag(step)).map(|(_, id)| *id);
        let active = marked(|step| step.row.pane_flags.active);
        lines.extend(marked(|step| step.row.pane_flags.last).map(command::select_pane));
        lines.extend(active.map(command::select_pane));
        if window.first().row.window_flags.zoomed {
            lines.extend(active.map(command::zoom)); // last: select-layout would undo it
        }
    }
    lines
}

/// Marks the pane of an agent with its conversation: if the agent ends, or cannot be resumed now, the next restore
/// knows where it was.
pub(crate) fn mark(step: &Step, pane: u32) -> Option<Line> {
    let id = match &step.start {
        Start::Agent { id, .. } => id.clone(),
        _ if step.deferred || step.is_impossible => {
            ConversationId::parse(step.row.conversation.as_deref()?)?
        }
        Start::Shell | Start::Program(_) | Start::ShellBecause(_) => return None,
    };
    Some(command::mark_restored(pane, id.as_str().as_bytes()))
}

/// The options of a window and of its panes. Options that all panes share are set on the window, so
/// that a pane which is split off later has them, too.
pub(crate) fn window_options(window: &Window<'_>) -> Vec<Line> {
    let Some(id) = window.id else { return Vec::new() };
    let of = |step: &Step, scope: Scope| -> Vec<(&'static KeptOption, String)> {
        let text = step.row.options.as_deref().unwrap_or_default();
        let all = options::parse(text).into_iter().filter(|(kept, _)| kept.scope == scope);
        all.map(|(kept, value)| (kept, value.to_owned())).collect()
    };
    let set = |target, flag, (kept, value): &(&'static KeptOption, String)| {
        command::set_kept(target, flag, kept.name, value)
    };
    let first = window.first();
    let mut lines: Vec<Line> = of(first, Scope::Window)
        .iter()
        .map(|option| set(Target::Window(id), "-w", option))
        .collect();
    let alike = of(first, Scope::Pane);
    if window.panes.iter().all(|(_, step)| of(step, Scope::Pane) == alike) {
        lines.extend(alike.iter().map(|option| set(Target::Window(id), "-w", option)));
        return lines;
    }
    for ((_, step), pane) in window.panes.iter().zip(&window.pane_ids) {
        let Some(pane) = pane else { continue };
        let own = of(step, Scope::Pane);
        lines.extend(own.iter().map(|option| set(Target::Pane(*pane), "-p", option)));
    }
    lines
}

/// The options that users set on a window and on its panes; `names` are patterns of those that are kept.
pub(crate) fn users_window_options(window: &Window<'_>, names: &[String]) -> Vec<Line> {
    let Some(id) = window.id else { return Vec::new() };
    let panes = || window.panes.iter().zip(&window.pane_ids);
    let of_window = panes()
        .flat_map(|((_, step), _)| set_users(step, Owner::Window, Target::Window(id), names));
    let of_panes = panes().flat_map(|((_, step), pane)| {
        pane.map_or(Vec::new(), |pane| set_users(step, Owner::Pane, Target::Pane(pane), names))
    });
    of_window.chain(of_panes).collect()
}

/// The options that users set on a session.
pub(crate) fn users_session_options(id: u32, session: &Session<'_>, names: &[String]) -> Vec<Line> {
    let steps = session.windows.iter().flat_map(|window| &window.panes).map(|(_, step)| step);
    steps.flat_map(|step| set_users(step, Owner::Session, Target::Session(id), names)).collect()
}

fn set_users(step: &Step, owner: Owner, target: Target, names: &[String]) -> Vec<Line> {
    let field = step.row.user_options.as_deref().unwrap_or_default();
    let options = user_options::decode(field, owner, names).into_iter();
    let set = |(name, value): (Vec<u8>, Vec<u8>)| {
        command::set_user_option(target, owner.flag(), &name, &value)
    };
    options.map(set).collect()
}

pub(crate) fn session_options(id: u32, session: &Session<'_>) -> Vec<Line> {
    let own = session_values(session).into_iter();
    let own = own.map(|(kept, value)| command::set_kept(Target::Session(id), "", kept.name, value));
    let origin = session.windows[0].first().origin.as_deref();
    own.chain(origin.map(|origin| command::mark_origin(id, origin))).collect()
}

/// The variables of a session's environment whose names the configuration lists, no matter what the
/// snapshot has.
pub(crate) fn environment<'a>(session: &Session<'a>, names: &[String]) -> Vec<&'a [u8]> {
    let text = session.windows[0].first().row.environment.as_deref().unwrap_or_default();
    let is_kept = |variable: &&[u8]| {
        let equals = variable.iter().position(|&byte| byte == b'=');
        equals.is_some_and(|at| names.iter().any(|name| name.as_bytes() == &variable[..at]))
    };
    text.split(|&byte| byte == 0).filter(is_kept).collect()
}
