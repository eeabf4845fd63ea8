//! What a change does to a layout (pure).

use crate::protocol::layout::{Change, Group, Layout, MAX_TILES, Tiles};
use terminal_lobby::tmux::session_facts::is_birth_id;

/// For how many sessions anything is kept.
pub(super) const MAX_SESSIONS: usize = 5000;
/// Most own groups.
const MAX_GROUPS: usize = 100;
/// Maximum length of a group's name, in characters.
const MAX_NAME: usize = 64;
/// Most groups of which only the title is shown.
const MAX_COLLAPSED: usize = 500;
/// Maximum length of what such a group is known by, in bytes: a directory.
const MAX_COLLAPSED_NAME: usize = 1200;
/// The smallest and the largest share of a column or row.
const SHARES: std::ops::RangeInclusive<u16> = 5..=1000;

/// Why a change cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("that is no session")]
    NoSession,
    #[error("there is no such group any more")]
    NoGroup,
    #[error("a group's name has 1 to 64 characters, none of them a control character")]
    Name,
    #[error("there are {MAX_GROUPS} groups already")]
    Groups,
    #[error("there are {MAX_TILES} tiles already")]
    Tiles,
    #[error("that is no size of tiles")]
    Shares,
    #[error("that is more than can be kept")]
    TooMuch,
}

/// Makes a change.
pub(super) fn apply(layout: &mut Layout, change: &Change) -> Result<(), Refused> {
    match change {
        Change::Pin { session, is } => {
            set(&mut layout.pins, checked(session)?, *is);
        }
        Change::Move { session, below } => {
            checked(session)?;
            place(&mut layout.order, session, below)?;
            layout.own_order = true;
        }
        Change::OwnOrder { is } => layout.own_order = *is,
        Change::ByDirectory { is } => layout.by_directory = *is,
        Change::Collapse { name, is } => {
            let is_full = *is && layout.collapsed.len() >= MAX_COLLAPSED;
            if name.len() > MAX_COLLAPSED_NAME || is_full {
                return Err(Refused::TooMuch);
            }
            set(&mut layout.collapsed, name, *is);
        }
        Change::AddGroup { .. }
        | Change::RenameGroup { .. }
        | Change::RemoveGroup { .. }
        | Change::MoveGroup { .. }
        | Change::Assign { .. } => group(layout, change)?,
        Change::AddTile { .. }
        | Change::RemoveTile { .. }
        | Change::MoveTile { .. }
        | Change::Arrange { .. }
        | Change::SizeTiles { .. } => tile(&mut layout.tiles, change)?,
    }
    Ok(())
}

fn checked(session: &String) -> Result<&String, Refused> {
    if is_birth_id(session) { Ok(session) } else { Err(Refused::NoSession) }
}

fn set(all: &mut std::collections::BTreeSet<String>, one: &str, is: bool) {
    if is {
        all.insert(one.to_owned());
    } else {
        all.remove(one);
    }
}

fn place(order: &mut Vec<String>, session: &str, below: &[String]) -> Result<(), Refused> {
    if below.len() + order.len() > 2 * MAX_SESSIONS {
        return Err(Refused::TooMuch);
    }
    let find = |order: &[String], id: &str| order.iter().position(|one| one == id);
    let mut last = None;
    for id in below.iter().filter(|id| *id != session) {
        checked(id)?;
        let at = find(order, id).unwrap_or_else(|| {
            // Those without a place come after those with one.
            order.push(id.clone());
            order.len() - 1
        });
        last = Some(at);
    }
    let anchor = last.map(|at| order[at].clone());
    order.retain(|id| id != session);
    let at = anchor.and_then(|anchor| find(order, &anchor)).map_or(0, |at| at + 1);
    order.insert(at, session.to_owned());
    Ok(())
}

fn group(layout: &mut Layout, change: &Change) -> Result<(), Refused> {
    let at = |groups: &[Group], id: &str| {
        groups.iter().position(|group| group.id == id).ok_or(Refused::NoGroup)
    };
    match change {
        Change::AddGroup { group, name, session } => {
            let is_id = group.len() == 8 && group.bytes().all(|byte| byte.is_ascii_hexdigit());
            if !is_id {
                return Err(Refused::NoGroup);
            }
            let name = named(name)?;
            match at(&layout.groups, group) {
                Ok(known) => layout.groups[known].name = name,
                Err(_) if layout.groups.len() >= MAX_GROUPS => return Err(Refused::Groups),
                Err(_) => layout.groups.push(Group { id: group.clone(), name }),
            }
            if let Some(session) = session {
                layout.members.insert(checked(session)?.clone(), group.clone());
            }
        }
        Change::RenameGroup { group, name } => {
            let at = at(&layout.groups, group)?;
            layout.groups[at].name = named(name)?;
        }
        Change::RemoveGroup { group } => {
            layout.groups.retain(|known| known.id != *group);
            layout.members.retain(|_, of| of != group);
            layout.collapsed.remove(&format!("own:{group}"));
        }
        Change::MoveGroup { group, below } => {
            let moved = layout.groups.remove(at(&layout.groups, group)?);
            let to = match below.as_ref().filter(|below| *below != group) {
                Some(below) => at(&layout.groups, below)? + 1,
                None => 0,
            };
            layout.groups.insert(to, moved);
        }
        Change::Assign { session, group: Some(to) } => {
            at(&layout.groups, to)?;
            layout.members.insert(checked(session)?.clone(), to.clone());
        }
        Change::Assign { session, group: None } => {
            layout.members.remove(session);
        }
        _ => {}
    }
    Ok(())
}

/// A name that can be shown: without control characters and such that change the direction.
fn named(name: &str) -> Result<String, Refused> {
    let name = name.trim();
    let is_hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let is_fit = (1..=MAX_NAME).contains(&name.chars().count()) && !name.chars().any(is_hidden);
    if is_fit { Ok(name.to_owned()) } else { Err(Refused::Name) }
}

fn tile(tiles: &mut Tiles, change: &Change) -> Result<(), Refused> {
    let at = |tiles: &Tiles, id: &str| tiles.sessions.iter().position(|one| one == id);
    match change {
        Change::AddTile { session } if at(tiles, session).is_none() => {
            if tiles.sessions.len() >= MAX_TILES {
                return Err(Refused::Tiles);
            }
            tiles.sessions.push(checked(session)?.clone());
            (tiles.columns, tiles.rows) = Default::default();
        }
        Change::RemoveTile { session } if at(tiles, session).is_some() => {
            tiles.sessions.retain(|one| one != session);
            (tiles.columns, tiles.rows) = Default::default();
        }
        Change::MoveTile { session, to } => {
            let moved = tiles.sessions.remove(at(tiles, session).ok_or(Refused::NoSession)?);
            tiles.sessions.insert((*to).min(tiles.sessions.len()), moved);
        }
        Change::Arrange { to } if tiles.arrangement != *to => {
            tiles.arrangement = *to;
            (tiles.columns, tiles.rows) = Default::default();
        }
        Change::SizeTiles { columns, rows } => {
            let all = || columns.iter().chain(rows);
            let is_fit = columns.len() <= MAX_TILES && rows.len() <= MAX_TILES;
            if !is_fit || !all().all(|share| SHARES.contains(share)) {
                return Err(Refused::Shares);
            }
            (tiles.columns, tiles.rows) = (columns.clone(), rows.clone());
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn after(changes: &[serde_json::Value]) -> Result<Layout, Refused> {
        let mut layout = Layout::default();
        for change in changes {
            apply(&mut layout, &serde_json::from_value(change.clone()).unwrap())?;
        }
        Ok(layout)
    }

    fn id(number: usize) -> String {
        format!("{number:016x}")
    }

    #[test]
    fn hostile_names_and_ids_are_refused() {
        let group =
            |name: &str| after(&[json!({"type": "add_group", "group": "0000000a", "name": name})]);
        for name in ["", " ", "a\nb", "\u{202e}x", "a\u{200b}", &"x".repeat(65)] {
            assert_eq!(group(name), Err(Refused::Name), "{name:?}");
        }
        assert_eq!(group(" <b>Shop</b> ").unwrap().groups[0].name, "<b>Shop</b>");
        for session in ["", "../x", "0123", "0123456789ABCDEF", &"0".repeat(17)] {
            for change in ["pin", "move", "add_tile"] {
                let mut wanted = json!({"type": change, "session": session});
                match change {
                    "pin" => wanted["is"] = json!(true),
                    "move" => wanted["below"] = json!([]),
                    _ => {}
                }
                assert_eq!(after(&[wanted]), Err(Refused::NoSession), "{change} {session:?}");
            }
        }
    }

    #[test]
    fn there_are_six_tiles_at_most_and_none_twice() {
        let add = |number: usize| json!({"type": "add_tile", "session": id(number)});
        let six: Vec<_> = [0, 1, 2, 3, 4, 5, 3].map(add).into();
        assert_eq!(after(&six).unwrap().tiles.sessions.len(), 6);
        assert_eq!(after(&[&six[..], &[add(6)]].concat()), Err(Refused::Tiles));
        let sized = json!({"type": "size_tiles", "columns": [70, 30], "rows": []});
        let moved = json!({"type": "move_tile", "session": id(1), "to": 0});
        let tiles = after(&[add(0), add(1), sized.clone(), moved]).unwrap().tiles;
        assert_eq!((tiles.sessions, tiles.columns), (vec![id(1), id(0)], vec![70, 30]));
        assert!(after(&[add(0), add(1), sized, add(2)]).unwrap().tiles.columns.is_empty());
        let zero = json!({"type": "size_tiles", "columns": [0, 30], "rows": []});
        assert_eq!(after(&[zero]), Err(Refused::Shares));
    }

    #[test]
    fn groups_are_moved_and_their_sessions_stay_when_they_go() {
        let add = |id: &str| json!({"type": "add_group", "group": id, "name": id, "session": null});
        let all = [
            add("0000000a"),
            add("0000000b"),
            json!({"type": "assign", "session": id(1), "group": "0000000b"}),
            json!({"type": "move_group", "group": "0000000b"}),
            json!({"type": "collapse", "name": "own:0000000a", "is": true}),
            json!({"type": "remove_group", "group": "0000000a"}),
        ];
        let layout = after(&all).unwrap();
        let ids: Vec<&str> = layout.groups.iter().map(|group| group.id.as_str()).collect();
        assert_eq!((ids, layout.collapsed.len()), (vec!["0000000b"], 0));
        assert_eq!(layout.members[&id(1)], "0000000b");
        let unknown = json!({"type": "assign", "session": id(1), "group": "0000000c"});
        assert_eq!(after(&[unknown]), Err(Refused::NoGroup));
    }
}
