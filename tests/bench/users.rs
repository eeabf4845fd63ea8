//! Root saves for every terminal user of a host: a process that becomes the user for each.

use crate::support::host::{Host, persist_argv};
use crate::table::Table;
use crate::world::finish;

const FLOOR: &str = "floor: one user lists the own panes";
const SAVE: &str = "persist save, nothing changed";
const SHOW: &str = "persist show";

const USERS: usize = 20;
const SESSIONS: usize = 20;

/// Measures saves of 20 users with 20 sessions each, `runs` times; nothing where this machine
/// cannot make a host.
pub(crate) fn measure(runs: usize) -> Option<Table> {
    let host = Host::new("the benchmark of many users")?;
    let title = format!("root saves {USERS} users with {SESSIONS} sessions each");
    let mut table = Table::new(title);
    let names: Vec<String> = (0..SESSIONS).map(|n| format!("s{n:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for n in 0..USERS {
        let user = format!("user{n:02}");
        host.user(&user);
        host.sessions(&user, &names);
    }
    let run = |args: &[&str]| finish(&mut host.root_command(persist_argv(args)));
    run(&["save"]);
    let list = ["tmux", "-u", "list-panes", "-a", "-F", "#{pane_id}"];
    for _ in 0..runs {
        table.time(FLOOR, || finish(&mut host.user_command("user00", list)));
        table.time(SAVE, || run(&["save"]));
        table.time(SHOW, || run(&["show", "--quiet"]));
    }
    let each = table.median(SAVE) / f64::from(u32::try_from(USERS).unwrap());
    table.note(&format!("{each:.1} ms a user"));
    Some(table)
}
