//! What a plan does not touch, and what it does not guess.

use super::Host;
use crate::support::lacks::lacks;
use crate::support::run;
use std::path::Path;

/// A host of the table.
pub(super) fn host(case: &str) -> Host {
    Host::new(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/provision").join(case))
}

const WRITTEN: &str = "root/var/lib/terminal-lobby/applied/written.json";

#[test]
fn of_homes_only_the_inode_is_looked_at() {
    let host = host("03-made-by-hand");
    let trace = host.place().join("trace");
    let mut command = host.sandbox.command("strace");
    command.current_dir(host.place()).args(["-f", "-y", "-o"]).arg(&trace);
    command.args(["-e", "trace=%file,getdents64,fchdir", env!("CARGO_BIN_EXE_provision")]);
    command.args(["plan", "--roster", "roster.yaml", "--root", "root", "--config", "config.toml"]);
    if std::process::Command::new("strace").arg("-V").output().is_err() {
        return lacks("of_homes_only_the_inode_is_looked_at", "needs strace");
    }
    run(&mut command).ok();
    let trace = std::fs::read_to_string(trace).unwrap();
    let of_homes: Vec<&str> = trace.lines().filter(|line| line.contains("root/home")).collect();
    for user in ["builder", "ops", "reader"] {
        let inode = format!("\"root/home/{user}\", ");
        assert!(of_homes.iter().any(|line| line.contains(&inode)), "{user}: {of_homes:#?}");
    }
    for line in of_homes {
        let inode = ["builder", "ops", "reader"]
            .iter()
            .any(|user| line.contains(&format!("\"root/home/{user}\", ")));
        let looks =
            line.contains("statx(") || line.contains("newfstatat(") || line.contains("lstat(");
        let follows = line.contains("statx(") && !line.contains("AT_SYMLINK_NOFOLLOW");
        let directory_of_homes = line.contains("\"root/home\", ");
        assert!((inode || directory_of_homes) && looks && !follows, "{line}");
    }
}

#[test]
fn a_record_that_cannot_be_read_ends_the_plan() {
    let applied = "root/var/lib/terminal-lobby/applied";
    for (file, text, why) in [
        (
            "written.json",
            "{\"hashes\": [], \"other\": 1}",
            "written.json: not a valid record: invalid type: sequence, expected a map",
        ),
        ("written.json", "", "written.json: not a valid record: EOF"),
        ("roster.yaml", "users: [a]\n", "roster.yaml:1:8: expected a table of users"),
        ("ports.json", "{\"ops\": 80}", "ports.json: port 80 of ops is below 1024"),
        (
            "ports.json",
            "{\"a\": 4000, \"b\": 4000}",
            "planning the ports: port 4000 belongs to both a (T3_PORT)",
        ),
    ] {
        let host = host("02-agrees");
        std::fs::write(host.place().join(applied).join(file), text).unwrap();
        let run = host.plan(&["--detailed-exitcode"]).code(1);
        assert!(run.err().contains(why), "{file}: {}", run.err());
        assert_eq!(run.out(), "");
    }
}

/// A program may take it for an octal number, and another for the one on record.
#[test]
fn a_port_that_is_written_in_another_way_is_refused_as_it_is_written() {
    // What is no number at all may be a secret: its hash is shown.
    for (value, shown) in
        [("03775", ": 03775 -> 3775"), ("+3775", ": sha256:"), ("3775 # mine", ": sha256:")]
    {
        let host = host("02-agrees");
        let file = host.place().join("root/etc/t3-serve/reader.env");
        std::fs::write(&file, format!("T3_PORT={value}\n")).unwrap();
        let run = host.plan(&["--detailed-exitcode"]).code(3);
        let line =
            run.out().lines().find(|line| line.contains("reader.env T3_PORT")).unwrap().to_owned();
        assert!(line.contains("! refused") && line.contains(shown), "{value}: {}", run.out());
        assert!(!run.out().contains("T3_PORT: 3775 -> 3775"), "{}", run.out());
    }
}

#[test]
fn accounts_are_those_of_the_host_that_is_looked_at() {
    let host = host("02-agrees");
    let roster = host.place().join("roster.yaml");
    let mut text = std::fs::read_to_string(&roster).unwrap();
    text.push_str("  sysd: {authentik_user: s, k8s_user: s, tier: power-user}\n");
    std::fs::write(&roster, text).unwrap();
    let passwd = host.place().join("root/etc/passwd");
    let mut text = std::fs::read_to_string(&passwd).unwrap();
    text.push_str("sysd:x:77:77::/:/bin/false\n");
    std::fs::write(&passwd, text).unwrap();
    let run = host.plan(&[]).code(1);
    let why = "roster.yaml:5:3: 'sysd' is a system account of this host: uid 77 is below 1000";
    assert!(run.err().contains(why), "{}", run.err());
    std::fs::remove_file(&passwd).unwrap();
    let run = host.plan(&[]).code(1);
    assert!(run.err().contains("observing the host: reading root/etc/passwd"), "{}", run.err());
}

#[test]
fn exit_codes_are_0_or_1_until_details_are_asked_for() {
    for (case, detailed) in
        [("02-agrees", 0), ("10-parked-and-promoted", 2), ("04-edited-and-drifted", 3)]
    {
        host(case).plan(&[]).ok();
        host(case).plan(&["--detailed-exitcode"]).code(detailed);
    }
    let host = host("02-agrees");
    let run = host.plan(&["--user", "nobody"]).code(2);
    let why = "--user 'nobody': not in the roster, nor in the applied one";
    assert!(run.err().contains(why), "{}", run.err());
    host.plan(&["--user", "nobody", "--detailed-exitcode"]).code(1);
    host.plan(&["--no-such-option", "--detailed-exitcode"]).code(1);
}

#[test]
fn the_json_has_the_same_changes_and_no_action() {
    let host = host("12-cut");
    let plan = host.plan(&["--json"]).ok().json();
    assert_eq!(plan["result"], "changes");
    assert_eq!(
        plan["tally"],
        serde_json::json!({"add": 1, "repair": 2, "cut": 1, "remove": 0, "refused": 0, "report": 0})
    );
    let added = plan["changes"].as_array().unwrap().iter().find(|change| change["verb"] == "add");
    assert_eq!(added.unwrap()["what"], "/etc/t3-serve/closed.json", "why bob is not served");
    assert_eq!(
        plan["changes"][0],
        serde_json::json!({
            "id": "bob/cut", "step": "cut", "user": "bob", "verb": "cut", "cause": "intent",
            "what": "bob", "before": null, "after": null,
            "why": "in the applied roster, and no longer in the roster",
            "needs": [], "lines": [],
            "steps": ["stop", "lock", "save", "kill", "home", "linger", "units", "processes",
                "jobs", "tokens", "groups", "cluster", "again", "set-id", "record"],
        })
    );
    assert_eq!(plan["ports"]["bob"], 3777, "a port of the past stays on record");
}

#[test]
fn names_that_the_host_holds_are_escaped() {
    let host = host("02-agrees");
    let map = host.place().join("root/etc/ttyd-user-map");
    std::fs::write(&map, "\u{1b}[2Jx=\u{202e}y\n").unwrap();
    std::fs::remove_file(host.place().join(WRITTEN)).unwrap();
    let run = host.plan(&["--explain"]).ok();
    assert!(run.out().contains("! refused  /etc/ttyd-user-map"), "{}", run.out());
    for text in [run.out(), run.err(), host.plan(&["--json"]).ok().out()] {
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
        assert!(!text.contains('\u{202e}') || text.starts_with('{'), "{text:?}");
    }
}
