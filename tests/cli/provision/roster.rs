//! `roster`, `derive`, `offboard plan`: files in, text out.

use super::{Desk, ROSTER};
use serde_json::json;

#[test]
fn a_valid_roster_is_shown_and_checked() {
    let desk = Desk::new();
    let run = desk.run("roster check --roster roster.yaml").ok();
    assert_eq!(
        run.out(),
        "roster.yaml: valid, 3 users: 1 admin, 1 power-user, 1 namespace-owner\n"
    );
    assert_eq!(run.err(), "");
    let run = desk.run("roster show --roster roster.yaml").ok();
    assert_eq!(
        run.out(),
        "  USER        AUTHENTIK  K8S  TIER             LAYOUT     NAMESPACES  REPOS\n  \
           tl-builder  builder42  bld  namespace-owner  workspace  builds      webapp\n  \
           tl-ops      ops.lead   ops  admin            single\n  \
           tl-reader   reader.ro  ro   power-user       single\n"
    );
    let users = desk.run("roster show --roster roster.yaml --json").ok().json();
    assert_eq!(
        users["users"][1],
        json!({
            "user": "tl-ops", "authentik_user": "ops.lead", "k8s_user": "ops", "tier": "admin",
            "namespaces": [], "code_layout": "single", "repos": [], "parked": false,
            "groups": ["code-shared", "docker", "sudo"],
        })
    );
}

#[test]
fn a_broken_roster_is_refused_by_every_command_with_file_line_column_and_hint() {
    let desk = Desk::new();
    desk.write("bad.yaml", format!("{ROSTER}  tl-new: {{teir: admin, k8s_user: ops}}\n"));
    let expected = "error: bad.yaml:6:3: 'tl-new' has no authentik_user; hint: add authentik_user: ...\n\
        error: bad.yaml:6:3: 'tl-new' has no tier; hint: add tier: ...\n\
        error: bad.yaml:6:12: row 'tl-new': unknown field 'teir'; hint: did you mean 'tier'?\n";
    desk.write("members.json", "[\"ops.lead\"]");
    for command in [
        "roster check --roster bad.yaml",
        "roster show --roster bad.yaml",
        "derive --roster bad.yaml",
        "membership --roster bad.yaml --members members.json --apply",
        "offboard plan --old roster.yaml --new bad.yaml",
        "offboard plan --old bad.yaml --new roster.yaml",
    ] {
        let run = desk.run(command).code(1);
        assert_eq!((run.out(), run.err()), (String::new(), expected.to_owned()), "{command}");
    }
    let json = desk.run("roster check --roster bad.yaml --json").code(1).json();
    assert_eq!(json["ok"], false);
    assert_eq!(
        json["problems"][2],
        json!({
            "file": "bad.yaml", "line": 6, "column": 12, "message": "row 'tl-new': unknown field 'teir'",
            "hint": "did you mean 'tier'?",
        })
    );
}

#[test]
fn an_account_of_the_system_is_refused() {
    let desk = Desk::new();
    desk.write("bad.yaml", "users:\n  daemon: {authentik_user: a, k8s_user: a, tier: admin}\n");
    let run = desk.run("roster check --roster bad.yaml").code(1);
    let expected = "bad.yaml:2:3: 'daemon' is a system account of this host: uid ";
    assert!(run.err().contains(expected), "{}", run.err());
}

#[test]
fn an_empty_roster_is_valid_and_reported_as_empty() {
    let desk = Desk::new();
    for (text, why) in [("", "no key 'users'"), ("users: {}\n", "no users")] {
        desk.write("empty.yaml", text);
        let run = desk.run("roster check --roster empty.yaml").ok();
        assert_eq!(run.out(), "empty.yaml: valid, 0 users\n");
        let warning = format!("warning: empty.yaml: {why}: an empty roster is not applied\n");
        assert_eq!(run.err(), warning);
        let derived = desk.run("derive --roster empty.yaml").ok().json();
        assert_eq!(derived["accounts"], json!([]));
    }
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("directory")).unwrap();
    desk.write("huge.yaml", vec![b'#'; (1 << 20) + 9]);
    let (fifo, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU);
    rustix::fs::mknodat(rustix::fs::CWD, desk.path("fifo"), fifo, mode, 0).unwrap();
    for (file, why) in [
        ("none.yaml", "no roster none.yaml\nhint: begin one with the line 'users:'"),
        ("directory", "reading directory: not a regular file"),
        ("fifo", "reading fifo: not a regular file"),
        ("huge.yaml", "reading huge.yaml: larger than 1048577 bytes"),
    ] {
        let run = desk.args(&["roster", "check", "--roster", file]).code(1);
        assert!(run.err().contains(why), "{}", run.err());
    }
    let run = desk.args(&["roster", "check", "--roster", "a\u{1b}[2Jb"]).code(1);
    assert!(!run.err().replace('\n', "").chars().any(char::is_control), "{:?}", run.err());
}

#[test]
fn tiers_are_compared_with_the_cluster() {
    let desk = Desk::new();
    let check = "roster check --roster roster.yaml --k8s-users k8s.json";
    desk.write(
        "k8s.json",
        r#"{"ro": "power-user", "bld": "namespace-owner", "ops": "power-user"}"#,
    );
    assert_eq!(desk.run(check).ok().err(), "");
    desk.write("k8s.json", r#"{"bld": "admin"}"#);
    let run = desk.run(check).code(1);
    assert_eq!(
        run.err(),
        "error: roster.yaml:4:3: 'tl-builder' has tier namespace-owner here, but 'bld' has 'admin' in the cluster; hint: give both the same tier\n\
         warning: roster.yaml:3:3: 'ro', the k8s_user of 'tl-reader', is not known in the cluster; hint: add the user to the cluster's k8s_users\n"
    );
    desk.run(&check.replace("check", "show")).code(1);
    desk.write("k8s.json", "[]");
    assert!(desk.run(check).code(1).err().contains("k8s.json: expected {\"k8s_user\": \"tier\"}"));
    let run = desk.run("roster check --roster roster.yaml --k8s-users none.json").ok();
    assert!(run.err().contains("warning: roster.yaml: tiers not compared"), "{}", run.err());
}

#[test]
fn what_is_derived_is_the_next_input() {
    let desk = Desk::new();
    let first = desk.run("derive --roster roster.yaml").ok().json();
    let members: Vec<&String> = first.as_object().unwrap().keys().collect();
    assert_eq!(
        members,
        ["accounts", "ttyd_user_map", "ttyd_admins", "dispatch", "ports", "playwright_ports"]
    );
    assert_eq!(first["dispatch"]["ops.lead"], json!({"os_user": "tl-ops", "port": 3774}));
    desk.write("ports.json", first["ports"].to_string());
    desk.write("playwright.json", first["playwright_ports"].to_string());
    let given = "--ports ports.json --playwright-ports playwright.json";
    let again = desk.run(&format!("derive --roster roster.yaml {given}")).ok().json();
    assert_eq!(first, again);
    let without = ROSTER.replace("tl-ops: ", "tl-new: ").replace("ops.lead", "new");
    desk.write("next.yaml", without);
    let next = desk.run(&format!("derive --roster next.yaml {given}")).ok().json();
    assert_eq!(next["ports"]["tl-new"], 3776, "no port of the past");
    assert_eq!(next["ports"]["tl-ops"], 3774, "remembered");
    assert!(next["dispatch"].get("ops.lead").is_none());
    desk.write("ports.json", r#"{"tl-ops": 3773, "tl-reader": 3773}"#);
    let run = desk.run(&format!("derive --roster roster.yaml {given}")).code(1);
    assert!(run.err().contains("port 3773 belongs to both tl-ops"), "{}", run.err());
}

#[test]
fn the_configuration_sets_groups_and_ports() {
    let desk = Desk::new();
    let derive = "derive --roster roster.yaml --config config.toml";
    desk.write(
        "config.toml",
        "[provision]\nt3_port_base = 5000\n[provision.groups]\nadmin = [\"sudo\"]\npower-user = [\"code\"]\n",
    );
    let derived = desk.run(derive).ok().json();
    let groups: Vec<_> = (0..3).map(|n| derived["accounts"][n]["groups"].clone()).collect();
    assert_eq!(groups, [json!([]), json!(["sudo"]), json!(["code"])]);
    assert_eq!(derived["ports"]["tl-builder"], 5000);
    for (text, why) in [
        ("[provision]\nwat = 1\n", "config.toml:2: unknown field `wat`"),
        (
            "[provison]\nt3_port_base = 5000\n",
            "config.toml: unknown field or table 'provison'\nhint: did you mean 'provision'?",
        ),
        ("[provision]\nt3_port_base = \"x\"\n", "config.toml:2: t3_port_base: invalid type"),
        (
            "[provision.groups]\npower-user = [\"docker\"]\n",
            "config.toml: provision.groups.power-user: members of group docker can become root",
        ),
        ("[provision.groups]\nboss = []\n", "no tier 'boss'"),
        ("[provision]\nt3_port_base = 80\n", "expected two different ports"),
        ("[provision]\nmax_cut_percent = 101\n", "expected 0 to 100"),
    ] {
        desk.write("config.toml", text);
        let run = desk.run(derive).code(2);
        assert!(run.err().contains(why), "{}", run.err());
    }
    desk.write("config.toml", "[provision]\nt3_port_base = 5000\n");
    let config = desk.path("config.toml");
    desk.sandbox.persist(["list", "--config", config.to_str().unwrap()]).ok();
}

#[test]
fn users_who_left_are_planned_for_and_admins_are_not() {
    let desk = Desk::new();
    desk.write(
        "new.yaml",
        "users:\n  tl-x: {authentik_user: builder42, k8s_user: x, tier: admin}\n",
    );
    let run = desk.run("offboard plan --old roster.yaml --new new.yaml").ok();
    assert!(run.out().contains("- cut tl-reader\n    stop every process, and close the lobby\n    lock the login\n    save the sessions a last time\n    kill the processes that run now\n"), "{}", run.out());
    assert!(run.out().ends_with("Plan: 2 to cut, 1 refused.\n") && !run.out().contains("undone"));
    assert!(
        run.err().contains("warning: tl-ops: an admin, who is not cut by the difference"),
        "{}",
        run.err()
    );
    assert!(run.err().contains("tl-builder: shares an identity with tl-x of the new roster"));
    let plan = "offboard plan --old roster.yaml --new new.yaml --destructive --json";
    let one = desk.run(&format!("{plan} --user tl-reader")).ok().json();
    assert_eq!(one["users"][0]["steps"][16], "remove");
    assert_eq!((one["users"].as_array().unwrap().len(), &one["protected"]), (1, &json!([])));
    let run = desk.run(&format!("{plan} --user tl-raeder")).code(2);
    assert!(run.err().contains("hint: did you mean 'tl-reader'?"), "{}", run.err());
    assert!(
        desk.run("offboard plan --old roster.yaml --new roster.yaml")
            .ok()
            .out()
            .starts_with("Plan: 0")
    );
}

#[test]
fn arguments_that_make_no_sense_exit_2() {
    let desk = Desk::new();
    for args in [
        "wat",
        "roster",
        "roster wat",
        "membership --roster roster.yaml",
        "membership --members x --authentik-url y",
        "membership --authentik-url http://x",
        "membership --authentik-url http://x --token-file t",
        "membership --members x --max-cut-percent 101",
        "roster check --vault-addr http://x",
        "roster check --vault-addr http://x --token-file x --k8s-users y",
        "offboard plan --old roster.yaml",
    ] {
        desk.run(args).code(2);
    }
    desk.run("--help").ok();
}
