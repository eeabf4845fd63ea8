//! The caller's own units, and the caller's processes that listen.

use super::HomeError;
use super::files::{self, FileState};
use crate::provision::protocol::old_units::{Listener, MAX_ENTRIES, MAX_PORTS, UnitFile};
use crate::provision::protocol::{OldUnitsFacts, OldUnitsQuery};
use crate::sys::{Dir, fs};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Where systemd looks for a user's own units, relative to the home.
const DIRECTORIES: [&str; 2] = [".config/systemd/user", ".local/share/systemd/user"];
/// Maximum number of names of such a directory.
const MAX_NAMES: usize = 500;
/// Maximum size of a unit, in bytes.
const MAX_UNIT: u64 = 64 << 10;
/// Maximum size of the kernel's list of sockets, in bytes.
const MAX_SOCKETS: u64 = 4 << 20;
/// Maximum number of processes, and of open files of one, that are looked through.
const MAX_PROCESSES: usize = 20_000;
const MAX_FILES: usize = 4096;

pub(super) fn inspect(query: &OldUnitsQuery) -> OldUnitsFacts {
    let mut facts = OldUnitsFacts::default();
    for directory in DIRECTORIES {
        if let Err(error) = units(directory, query.lowest, &mut facts) {
            facts.problems.push(error.to_string());
        }
    }
    facts.listeners = listeners(Path::new("/proc"), query.lowest);
    facts.units.truncate(MAX_ENTRIES);
    facts.problems.truncate(MAX_ENTRIES);
    facts
}

fn units(directory: &str, lowest: u16, facts: &mut OldUnitsFacts) -> Result<(), HomeError> {
    let mut dir = files::open_home()?;
    for name in directory.split('/') {
        match files::dir(&dir, name)? {
            Some(below) => dir = below,
            None => return Ok(()),
        }
    }
    let Some(names) = dir.names(MAX_NAMES)? else {
        return Err(HomeError::unusable(format!("~/{directory}"), "too many names"));
    };
    let mut names: Vec<String> = names.into_iter().filter_map(|n| n.into_string().ok()).collect();
    names.sort();
    for name in names.iter().filter(|n| n.ends_with(".service") || n.ends_with(".socket")) {
        let path = format!("{directory}/{name}");
        match files::read(&dir, name, MAX_UNIT) {
            // A link to a unit elsewhere, above all one to /dev/null, which masks a unit.
            FileState::Absent | FileState::Unusable(HomeError::Link(_)) => {}
            FileState::Unusable(error) => facts.problems.push(error.to_string()),
            FileState::Content(bytes) => {
                let ports = ports(&String::from_utf8_lossy(&bytes), lowest);
                if !ports.is_empty() {
                    facts.units.push(UnitFile { path, ports });
                }
            }
        }
    }
    Ok(())
}

/// The numbers of a unit's settings that may be ports from `lowest` on.
fn ports(unit: &str, lowest: u16) -> BTreeSet<u16> {
    let unit = unit.replace("\\\n", " ");
    let settings = unit.lines().map(str::trim_start);
    let settings = settings.filter(|line| !line.starts_with(['#', ';'])).filter_map(|line| {
        let (key, value) = line.split_once('=')?;
        let key = key.trim();
        let named = ["Exec", "Environment", "Listen"].iter().any(|start| key.starts_with(start));
        named.then_some(value)
    });
    let words = settings.flat_map(|value| value.split(|c: char| !c.is_ascii_alphanumeric()));
    let found = words.filter_map(|word| word.parse().ok()).filter(|port| *port >= lowest);
    found.take(MAX_PORTS).collect()
}

/// The processes of the caller's that listen on a port from `lowest` on.
fn listeners(proc: &Path, lowest: u16) -> Vec<Listener> {
    let uid = rustix::process::geteuid().as_raw();
    let tables = ["net/tcp", "net/tcp6"].map(|name| fs::read(&proc.join(name), MAX_SOCKETS));
    let mut ports: BTreeMap<u64, u16> = BTreeMap::new();
    for table in tables.into_iter().flatten() {
        ports.extend(listening(&String::from_utf8_lossy(&table), uid, lowest));
    }
    let mut found = Vec::new();
    if ports.is_empty() {
        return found;
    }
    let names = Dir::open(proc).and_then(|dir| dir.names(MAX_PROCESSES)).ok().flatten();
    let pids = names.unwrap_or_default().into_iter();
    for pid in pids.filter_map(|name| name.to_str()?.parse::<u32>().ok()) {
        let here = proc.join(pid.to_string());
        let open = Dir::open(&here.join("fd")).and_then(|dir| {
            let names = dir.names(MAX_FILES)?.unwrap_or_default();
            let names = names.into_iter().filter_map(|name| name.into_string().ok());
            let targets = names.filter_map(|name| dir.link_target(&name).ok().flatten());
            Ok(targets.filter_map(|to| socket(to.to_str()?)).collect::<Vec<u64>>())
        });
        let own: BTreeSet<u16> =
            open.unwrap_or_default().iter().filter_map(|inode| ports.get(inode)).copied().collect();
        for port in own {
            let text = |name: &str| {
                let bytes = fs::read(&here.join(name), MAX_UNIT).unwrap_or_default();
                String::from_utf8_lossy(&bytes).trim_end().to_owned()
            };
            let groups = text("cgroup");
            let group = groups.lines().find_map(|line| line.strip_prefix("0::"));
            let group = group.unwrap_or_default().to_owned();
            found.push(Listener { port, pid, command: text("comm"), group });
            if found.len() == MAX_ENTRIES {
                return found;
            }
        }
    }
    found
}

/// The sockets of a user that listen, by inode, in a table of `/proc/net` (`proc_net_tcp` of the kernel's
/// documentation).
fn listening(table: &str, uid: u32, lowest: u16) -> impl Iterator<Item = (u64, u16)> {
    const LISTEN: &str = "0A";
    table.lines().skip(1).filter_map(move |line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, local, _, LISTEN, _, _, _, owner, _, inode, ..] = fields[..] else { return None };
        let port = u16::from_str_radix(local.rsplit_once(':')?.1, 16).ok()?;
        let is_listed = owner.parse() == Ok(uid) && port >= lowest;
        is_listed.then_some((inode.parse().ok()?, port))
    })
}

/// The inode of an open file that is a socket.
fn socket(target: &str) -> Option<u64> {
    target.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_found_in_what_a_unit_runs_and_not_in_its_comments() {
        for (unit, wanted) in [
            ("[Service]\nExecStart=/usr/bin/t3 --port 3774\n", vec![3774]),
            ("ExecStart = /bin/x \\\n  --listen=127.0.0.1:8932\n", vec![8932]),
            ("Environment=T3_PORT=3774 \"B=x3775\"\n", vec![3774]),
            ("[Socket]\nListenStream=[::1]:3776\n", vec![3776]),
            ("#ExecStart=/bin/x 3774\n  ;ExecStart=/bin/x 3774\nDescription=3774\n", vec![]),
            ("ExecStart=/bin/x 80 99999999 3774a 03774\n", vec![3774]),
            ("", vec![]),
        ] {
            assert_eq!(ports(unit, 3773).into_iter().collect::<Vec<_>>(), wanted, "{unit}");
        }
        let many: Vec<String> = (4000..9000).map(|port: u32| port.to_string()).collect();
        assert_eq!(ports(&format!("ExecStart=x {}", many.join(" ")), 1024).len(), MAX_PORTS);
    }

    #[test]
    fn a_process_that_listens_is_found_by_its_socket() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let found = listeners(Path::new("/proc"), 1024);
        let ours = found.iter().find(|listener| listener.port == port);
        // Where other tests have many sockets, the answer is full before ours comes.
        assert!(
            ours.is_some_and(|ours| ours.pid == std::process::id()) || found.len() == MAX_ENTRIES,
            "{found:?}"
        );
        let table = "  sl  local_address\n   0: 0100007F:0EBE 00000000:0000 0A 00000000:00000000 \
                     00:00000000 00000000  1001        0 77 1 0\nx\n";
        assert_eq!(listening(table, 1001, 1024).collect::<Vec<_>>(), [(77, 3774)]);
        assert_eq!(listening(table, 1002, 1024).count(), 0);
        assert_eq!(listening(table, 1001, 3775).count(), 0);
    }
}
