//! `persist doctor`: what is wrong, and the command that mends it.

use crate::support::host::{BIN, Host, STATE, USER_MAP};
use crate::support::lacks::lacks;
use crate::support::sandbox::user;
use crate::support::{Run, Sandbox, run, wait_until};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

const UNITS: &str = "\
Id=tmux-persist-save.timer\nLoadState=loaded\nActiveState=active\nWantedBy=timers.target\n
Id=tmux-persist-save.service\nLoadState=loaded\nActiveState=inactive\nResult=success\n
Id=tmux-persist-sockets.service\nLoadState=loaded\nActiveState=active\nWantedBy=basic.target\n
Id=tmux-persist-restore.service\nLoadState=loaded\nActiveState=active\nWantedBy=multi-user.target\n
Id=tmux-persist-shutdown.service\nLoadState=loaded\nActiveState=active\nWantedBy=multi-user.target\n
Id=systemd-logind.service\nLoadState=loaded\nActiveState=active\n";

fn program(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A world with persist and something like a launcher beside it, and a host's files of its own.
fn installed() -> Sandbox {
    let sandbox = Sandbox::new();
    let bin = sandbox.root().join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::fs::copy(env!("CARGO_BIN_EXE_persist"), bin.join("persist")).unwrap();
    program(&bin.join("start-claude"), "#!/bin/sh\n");
    std::fs::create_dir(sandbox.root().join("host")).unwrap();
    sandbox
}

fn doctor(sandbox: &Sandbox, args: &[&str]) -> Run {
    run(&mut doctor_command(sandbox, args))
}

fn doctor_command(sandbox: &Sandbox, args: &[&str]) -> Command {
    let bin = sandbox.root().join("bin");
    let mut command = sandbox.command(bin.join("persist"));
    command.env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
    command.arg("doctor").args(args).arg("--root").arg(sandbox.root().join("host"));
    command.arg("--state-dir").arg(sandbox.state());
    command.arg("--user-map").arg(sandbox.root().join("no-user-map"));
    command
}

/// The first check of that name.
#[track_caller]
fn check<'a>(json: &'a Value, name: &str) -> &'a Value {
    let checks = json["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("{name}: {json}"))
}

#[test]
fn a_fresh_installation_has_no_fault_and_nothing_is_made() {
    let sandbox = installed();
    let json = doctor(&sandbox, &["--json"]).ok().json();
    assert_eq!(json["faults"], 0);
    for name in ["tmux", "launcher", "configuration", "state", "snapshots", "last save"] {
        assert_eq!(check(&json, name)["state"], "ok", "{json}");
    }
    assert_eq!(check(&json, "units")["state"], "skipped");
    assert_eq!(check(&json, "locale")["state"], "warn", "the sandbox has LC_ALL=C");
    assert_eq!(
        (&check(&json, "tmux")["user"], &check(&json, "state")["user"]),
        (&Value::Null, &json!(user()))
    );
    assert_eq!(std::fs::read_dir(sandbox.state()).unwrap().count(), 0);
    assert_eq!(doctor(&sandbox, &["--quiet"]).ok().out(), "");
}

/// A save writes the snapshot first, then the link.
#[test]
fn a_save_between_its_snapshot_and_its_link_is_no_fault() {
    let sandbox = installed();
    for name in ["one", "two"] {
        sandbox.tmux(["new-session", "-d", "-s", name]).ok();
        sandbox.persist(["save"]).ok();
    }
    let own = sandbox.user_state();
    let newest = std::fs::read_link(own.join("latest")).unwrap();
    let older = std::fs::read_dir(own.join("snapshots")).unwrap();
    let older = older.map(|file| Path::new("snapshots").join(file.unwrap().file_name()));
    let older = older.into_iter().find(|file| *file != newest).expect("two snapshots");
    let point = |to: &Path| {
        std::fs::remove_file(own.join("latest")).unwrap();
        std::os::unix::fs::symlink(to, own.join("latest")).unwrap();
    };
    let lock = std::fs::File::open(own.join("lock")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    point(&older);
    let mut command = doctor_command(&sandbox, &["--json"]);
    let waiting = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let descriptors = format!("/proc/{}/fd", waiting.id());
    wait_until("it waits for the save", || {
        let open = std::fs::read_dir(&descriptors).unwrap();
        let files = open.filter_map(|open| std::fs::read_link(open.ok()?.path()).ok());
        files.into_iter().any(|file| file == own.join("lock"))
    });
    point(&newest);
    drop(lock);
    let json: Value = serde_json::from_slice(&waiting.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(json["faults"], 0, "{json}");
    point(&older);
    assert_eq!(doctor(&sandbox, &["--json"]).json()["faults"], 1);
}

#[test]
fn each_fault_of_a_users_is_named_with_the_command_that_mends_it() {
    let sandbox = installed();
    sandbox.tmux(["new-session", "-d", "-s", "one"]).ok();
    sandbox.persist(["save"]).ok();
    assert_eq!(doctor(&sandbox, &["--json"]).ok().json()["faults"], 0);
    let own = sandbox.user_state();
    let mode =
        |mode| std::fs::set_permissions(&own, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o755);
    let run = doctor(&sandbox, &[]).code(1);
    let mend = format!("-> chmod 700 {}\n", own.display());
    assert!(run.out().contains("other users can read your sessions"), "{}", run.out());
    assert!(run.out().contains(&mend), "{}", run.out());
    let quiet = doctor(&sandbox, &["--quiet"]).code(1).out();
    assert_eq!(quiet.lines().count(), 2, "{quiet}");
    mode(0o700);

    std::fs::write(own.join("snapshots/20990101T000000Z.tsv"), "").unwrap();
    let json = doctor(&sandbox, &["--json"]).ok().json();
    assert_eq!(check(&json, "snapshots")["state"], "warn");
    assert!(check(&json, "snapshots")["what"].as_str().unwrap().contains("20990101T000000Z"));

    std::fs::write(own.join("activity.tsv"), "# end\n").unwrap();
    let socket = sandbox.root().join(format!("tmux/tmux-{}/default", nix::unistd::geteuid()));
    run_ok(&sandbox, &["touch", "-d", "yesterday", socket.to_str().unwrap()]);
    let json = doctor(&sandbox, &["--json"]).code(1).json();
    let last = check(&json, "last save");
    assert_eq!((&last["state"], &last["mend"]), (&json!("fault"), &json!("persist save")));

    let dir = socket.parent().unwrap();
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o755)).unwrap();
    let json = doctor(&sandbox, &["--json"]).code(1).json();
    let mend = format!("chmod 700 {}", dir.display());
    assert_eq!(check(&json, "tmux server")["mend"], mend.as_str());
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700)).unwrap();
}

#[track_caller]
fn run_ok(sandbox: &Sandbox, argv: &[&str]) {
    run(sandbox.command(argv[0]).args(&argv[1..])).ok();
}

#[test]
fn something_else_in_the_place_of_a_record_or_a_lock_is_a_fault_with_what_mends_it() {
    let sandbox = installed();
    sandbox.tmux(["new-session", "-d"]).ok();
    sandbox.persist(["save"]).ok();
    let state = sandbox.user_state();
    for name in ["endings.tsv", "lock"] {
        let path = state.join(name);
        let _ = std::fs::remove_file(&path);
        std::fs::create_dir(&path).unwrap();
        let json = doctor(&sandbox, &["--json"]).code(1).json();
        let mend = json["checks"].as_array().unwrap().iter().find_map(|check| {
            check["what"]
                .as_str()?
                .ends_with("is not a regular file")
                .then(|| check["mend"].clone())
        });
        let path = path.display();
        assert_eq!(mend, Some(format!("mv {path} {path}.old").into()), "{json}");
        std::fs::remove_dir(state.join(name)).unwrap();
    }
    assert_eq!(doctor(&sandbox, &["--json"]).ok().json()["faults"], 0);
}

#[test]
fn a_broken_configuration_is_one_finding_among_the_others() {
    let sandbox = installed();
    let config = sandbox.root().join("config.toml");
    std::fs::write(&config, "socket = \"default\"\nsoket = 1\n").unwrap();
    let json = doctor(&sandbox, &["--json", "--config", config.to_str().unwrap()]).code(1).json();
    let found = check(&json, "configuration");
    assert!(found["what"].as_str().unwrap().contains("config.toml:2: unknown field"), "{found}");
    assert_eq!(found["mend"], format!("editor {}", config.display()));
    assert_eq!((&json["faults"], &check(&json, "last save")["state"]), (&json!(1), &json!("ok")));
}

#[test]
fn agents_and_their_hooks_are_found_where_the_launcher_finds_them() {
    let sandbox = installed();
    let state = |sandbox: &Sandbox, name| {
        check(&doctor(sandbox, &["--json"]).ok().json(), name)["state"].clone()
    };
    assert_eq!(state(&sandbox, "agents"), "warn");
    let own = sandbox.home().join(".local/bin");
    std::fs::create_dir_all(&own).unwrap();
    program(&own.join("claude"), "#!/bin/sh\n");
    assert_eq!(
        (state(&sandbox, "agents"), state(&sandbox, "agent hooks")),
        ("ok".into(), "warn".into())
    );
    let dropins = sandbox.root().join("host/etc/claude-code/managed-settings.d");
    std::fs::create_dir_all(&dropins).unwrap();
    let hook =
        r#"{"hooks":{"Stop":[{"hooks":[{"type":"command","command":"/usr/bin/persist hook"}]}]}}"#;
    std::fs::write(dropins.join("50-terminal-lobby.json"), hook).unwrap();
    assert_eq!(state(&sandbox, "agent hooks"), "ok");
}

#[test]
fn a_missing_launcher_and_a_missing_tmux_are_faults() {
    let sandbox = installed();
    std::fs::remove_file(sandbox.root().join("bin/start-claude")).unwrap();
    program(&sandbox.root().join("bin/tmux"), "#!/bin/sh\necho tmux 3.1c\n");
    let json = doctor(&sandbox, &["--json"]).code(1).json();
    assert_eq!(check(&json, "launcher")["mend"], "make install");
    assert!(check(&json, "tmux")["what"].as_str().unwrap().contains("older than 3.2"));
    assert_eq!(json["faults"], 2);
}

#[test]
fn units_are_asked_about_where_systemd_runs_and_a_hung_systemctl_is_a_fault() {
    if !nix::unistd::geteuid().is_root() {
        return lacks("units_are_asked_about_where_systemd_runs", "needs root");
    }
    let sandbox = installed();
    std::fs::create_dir_all(sandbox.root().join("host/run/systemd/system")).unwrap();
    let systemctl = sandbox.root().join("bin/systemctl");
    let units = |text: &str| program(&systemctl, &format!("#!/bin/sh\ncat <<'E'\n{text}E\n"));
    units(UNITS);
    assert_eq!(doctor(&sandbox, &["--json"]).ok().json()["faults"], 0);
    units(&UNITS.replacen("LoadState=loaded", "LoadState=masked", 1));
    let json = doctor(&sandbox, &["--json"]).ok().json();
    assert_eq!(check(&json, "tmux-persist-save.timer")["what"], "masked: off by choice");
    units(&UNITS.replacen("ActiveState=active", "ActiveState=inactive", 1));
    let json = doctor(&sandbox, &["--json"]).code(1).json();
    assert_eq!(
        check(&json, "tmux-persist-save.timer")["mend"],
        "systemctl start tmux-persist-save.timer"
    );
    program(&systemctl, "#!/bin/sh\nexec sleep 100000\n");
    let run = doctor(&sandbox, &["--json"]).code(1);
    assert!(
        check(&run.json(), "units")["what"].as_str().unwrap().contains("did not answer within")
    );
    assert!(run.took < std::time::Duration::from_secs(9), "{:?}", run.took);
}

#[test]
fn root_examines_every_user_and_one_users_trouble_stays_that_users() {
    let Some(host) = Host::new("root_examines_every_user_and_one_users_trouble_stays_that_users")
    else {
        return;
    };
    for name in ["ann", "bob", "zoe"] {
        host.user(name);
        host.sessions(name, &["main"]);
    }
    host.persist(["save"]).ok();
    let json = host.persist(["doctor", "--json"]).ok().json();
    assert_eq!(check(&json, "user map")["what"], format!("{USER_MAP}: 3 users"));
    assert_eq!(check(&json, "state directory")["state"], "ok");
    let of = |json: &Value, user: &str, state: &str| {
        let checks = json["checks"].as_array().unwrap();
        checks.iter().filter(|check| check["user"] == user && check["state"] == state).count()
    };
    assert_eq!(["ann", "bob", "zoe"].map(|name| of(&json, name, "fault")), [0; 3], "{json}");

    host.sh(&format!("chmod 755 {STATE}/bob; chown root {STATE}/zoe"));
    let json = host.persist(["doctor", "--json"]).code(1).json();
    assert_eq!(of(&json, "ann", "fault"), 0, "{json}");
    assert!(of(&json, "bob", "fault") > 0 && of(&json, "zoe", "fault") > 0, "{json}");
    assert_eq!(host.sh(&format!("stat -c %a {STATE}/bob")), "755\n", "nothing is changed");
    host.persist(["doctor", "--user", "nobody"]).code(2);

    host.sh(&format!("echo 'no row' >>{USER_MAP}; chmod 666 {USER_MAP}"));
    let json = host.persist(["doctor", "--json"]).code(1).json();
    assert_eq!(check(&json, "user map")["state"], "fault");
    assert_eq!(check(&json, "tmux")["state"], "ok");
}

#[test]
fn an_ordinary_user_is_not_blamed_for_what_is_roots() {
    let Some(host) = Host::new("an_ordinary_user_is_not_blamed_for_what_is_roots") else { return };
    host.user("ann");
    let persist = format!("{BIN}/persist");
    host.sh("mkdir -p /run/systemd/system");
    let json = host.as_user("ann", [&persist, "doctor", "--json"]).ok().json();
    assert_eq!(check(&json, "units")["what"], "not root: the timers belong to root");
    assert_eq!(json["faults"], 0, "{json}");
}

#[test]
fn a_lobby_is_checked_where_there_is_one() {
    let Some(host) = Host::new("a_lobby_is_checked_where_there_is_one") else { return };
    for name in ["ann", "bob"] {
        host.user(name);
    }
    let of_lobby = |json: &Value| -> Vec<(String, String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let checks = json["checks"].as_array().unwrap().iter();
        let ours = checks.filter(|check| text(&check["name"]).starts_with("lobby"));
        ours.map(|check| (text(&check["name"]), text(&check["state"]), text(&check["mend"])))
            .collect()
    };
    let now = |code: i32| of_lobby(&host.persist(["doctor", "--json"]).code(code).json());
    assert_eq!(now(0), []);

    let server =
        crate::support::http::Server::new(|_| crate::support::http::Reply::Body(200, "{}".into()));
    let file = "/etc/terminal-lobby/lobby.toml";
    host.sh(&format!(
        "echo 'lobby:x:990:' >>/etc/group; echo 'lobby:x:990:990::/:/bin/false' >>/etc/passwd; mkdir -p /run/terminal-lobby/agents
        printf '%s\n' 'mode = \"proxy\"' 'url = \"{}\"' '[proxy]' 'header = \"X-User\"' \
            'secret_file = \"/etc/terminal-lobby/proxy.secret\"' >{file}
        echo s3cret >/etc/terminal-lobby/proxy.secret; chmod 644 /etc/terminal-lobby/proxy.secret
        python3 -c 'import socket
for user in (\"ann\", \"eve\"): socket.socket(socket.AF_UNIX).bind(\"/run/terminal-lobby/agents/%s.sock\" % user)'
        chown root:990 /run/terminal-lobby/agents/*; chmod 660 /run/terminal-lobby/agents/*",
        server.url()
    ));
    let row = |name: &str, state: &str, mend: &str| (name.into(), state.into(), mend.into());
    assert_eq!(
        now(1),
        [
            row("lobby configuration", "ok", ""),
            row("lobby user map", "ok", ""),
            row(
                "lobby secret",
                "fault",
                "chown root:lobby /etc/terminal-lobby/proxy.secret && chmod 640 /etc/terminal-lobby/proxy.secret"
            ),
            row("lobby agents", "fault", "systemctl enable --now lobby-agent@bob.socket"),
            row("lobby agents", "warn", "systemctl disable --now lobby-agent@eve.socket"),
            row("lobby address", "ok", ""),
        ]
    );
    // Each as it should be; bob is parked.
    host.sh("cd /etc/terminal-lobby; chown root:990 proxy.secret; chmod 640 proxy.secret
        rm /run/terminal-lobby/agents/eve.sock; mkdir -p -m 755 /var/lib/terminal-lobby/applied
        printf 'users:\n  bob: {authentik_user: b, k8s_user: b, tier: power-user, parked: true}\n' \
            >/var/lib/terminal-lobby/applied/roster.yaml");
    let states: Vec<String> = now(0).into_iter().map(|(_, state, _)| state).collect();
    assert_eq!(states, ["ok"; 5]);
    host.sh(&format!("echo 'x = [' >>{file}"));
    assert_eq!(now(1), [row("lobby configuration", "fault", &format!("editor {file}"))]);
}
