//! Credentials: for whom, and only by the program of the version that runs.

use super::served::{LONG, Served};
use crate::support::wait::wait_until;
use serde_json::Value;
use std::time::Instant;

const ANN: &str = "{\"user\": \"ann\"}\n";

/// The credential of an answer.
fn credential(answer: &str) -> String {
    let answer: Value = serde_json::from_str(answer).expect(answer);
    answer["credential"].as_str().expect("a credential").to_owned()
}

/// Why there is none.
fn reason(answer: &str) -> String {
    let answer: Value = serde_json::from_str(answer).expect(answer);
    answer["refused"]["reason"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

#[test]
fn the_gateways_account_and_root_get_credentials_and_no_other_account_does() {
    let test = "the_gateways_account_and_root_get_credentials_and_no_other_account_does";
    let Some(served) = Served::new(test, "0.0.26", &["ann", "bob"]) else { return };
    served.host.account("lobby");
    served.start("ann");
    let helper = served.helper();
    for asker in ["lobby", "root"] {
        let cookie = served.client("ann").exchange(&credential(&served.ask(asker, ANN))).unwrap();
        served.client("ann").ping(&cookie).unwrap();
    }
    assert_eq!(reason(&served.ask("ann", ANN)), "not-allowed", "not even the user");
    assert_eq!(reason(&served.ask("lobby", "{\"user\": \"bob\"}\n")), "not-running");
    for user in ["lobby", "root", "nobody", "../ann", ""] {
        let answer = served.ask("lobby", &format!("{{\"user\": \"{user}\"}}\n"));
        assert_eq!(reason(&answer), "unknown-user", "{user}");
    }
    for line in ["\n", "{}\n", "[]\n", "{\"user\": \"ann\", \"as\": \"root\"}\n", "\u{1}\n"] {
        assert_eq!(reason(&served.ask("lobby", line)), "not-allowed", "{line}");
    }
    assert!(!helper.log().contains("credential"), "{}", helper.log());
    // By hand, with the same checks.
    let made = served.t3(&["mint", "--json", "ann"]).ok().out();
    served.client("ann").exchange(&credential(&made)).unwrap();
    served.t3(&["mint", "eve"]).code(3);
    served.t3(&["mint"]).code(2);
}

#[test]
fn a_program_of_another_version_than_the_live_instance_makes_no_credential() {
    let test = "a_program_of_another_version_than_the_live_instance_makes_no_credential";
    let Some(served) = Served::new(test, "0.0.24", &["ann"]) else { return };
    served.start("ann");
    let made = credential(&served.t3(&["mint", "--json", "ann"]).ok().out());
    let cookie = served.client("ann").exchange(&made).unwrap();
    served.install("0.0.26");
    served.host.sh("ln -sfn ../versions/0.0.26 /opt/t3/users/ann");
    let refused = served.t3(&["mint", "ann"]).code(3);
    assert!(refused.err().contains("the instance runs 0.0.24, and the program is 0.0.26"));
    let level = "python3 -c 'import sqlite3; print(sqlite3.connect(\"/home/ann/.t3/userdata/state.sqlite\").execute(\"SELECT max(migration_id) FROM effect_sql_migrations\").fetchone()[0])'";
    assert_eq!(served.host.sh_as("ann", level).trim(), "30", "nothing was migrated");
    assert!(served.client("ann").session(&[cookie]).unwrap().authenticated);
    // Without versions side by side the program on PATH is asked for its version.
    served.host.sh("mv /opt/t3 /opt/t3-old; cp /opt/t3-old/versions/0.0.26/bin/* /usr/local/bin");
    served.t3(&["mint", "ann"]).code(3);
    served.host.sh("echo 0.0.24 >/usr/local/bin/stand-in-version");
    served.t3(&["mint", "ann"]).ok();
}

#[test]
fn a_port_that_another_account_took_gets_no_credential() {
    let test = "a_port_that_another_account_took_gets_no_credential";
    let Some(served) = Served::new(test, "0.0.26", &["ann", "eve"]) else { return };
    served.start("eve");
    let port = served.port("eve");
    served.table(&format!(r#"{{"ann@x": {{"os_user": "ann", "port": {port}}}}}"#));
    let refused = served.t3(&["mint", "ann"]).code(3);
    assert!(refused.err().contains("which is not the instance's user"), "{}", refused.err());
    // A table that others can write, or that leads two users to one port, is none.
    served.host.sh("chmod 666 /etc/t3-serve/dispatch.json");
    served.t3(&["mint", "ann"]).code(1);
}

#[test]
fn what_a_user_makes_of_their_directory_hurts_that_user_alone_and_ends_in_time() {
    let test = "what_a_user_makes_of_their_directory_hurts_that_user_alone_and_ends_in_time";
    let Some(served) = Served::new(test, "0.0.26", &["ann", "bob"]) else { return };
    served.settings("[mint]\ndeadline_seconds = 6");
    served.host.sh("mkdir -m 700 /root/secret");
    served.start("ann");
    served.start("bob");
    served.fault("ann", "{\"mint_seconds\": 1000}");
    let begin = Instant::now();
    served.t3(&["mint", "ann"]).code(1);
    assert!(begin.elapsed() < LONG, "{:?}", begin.elapsed());
    let left = served.host.sh("pgrep -f '[a]uth pairing create' || :");
    assert_eq!(left, "", "nothing of it runs on");
    served.t3(&["mint", "bob"]).ok();
    for put in [
        "ln -s /root/secret ~/.t3",
        "mkfifo ~/.t3",
        "truncate -s 100G ~/.t3",
        "mkdir ~/.t3; mkfifo ~/.t3/userdata",
        "mkdir -p ~/.t3/userdata; mkfifo ~/.t3/stand-in.json",
    ] {
        served.host.sh_as("ann", &format!("mv ~/.t3 ~/old-$(date +%s%N); {put}"));
        let run = served.t3(&["mint", "ann"]);
        // Its server may be confused by it, too.
        assert!([1, 3].contains(&run.code), "{put}: {}", run.err());
    }
    assert_eq!(served.host.sh("ls -A /root/secret"), "");
}

#[test]
fn requests_at_once_are_answered_one_after_the_other_for_each_user() {
    let test = "requests_at_once_are_answered_one_after_the_other_for_each_user";
    let Some(served) = Served::new(test, "0.0.26", &["ann"]) else { return };
    served.settings("[mint]\ndeadline_seconds = 60");
    served.host.account("lobby");
    served.start("ann");
    let helper = served.helper();
    let script = "import socket\n\
        peer = socket.socket(socket.AF_UNIX)\n\
        peer.connect('/run/mint.sock')\n\
        peer.sendall(b'{\"user\": \"ann\"}\\n')\n\
        print(peer.makefile().read())";
    let start = |_| {
        let mut command = served.host.user_command("lobby", ["python3", "-c", script]);
        command.stdout(std::process::Stdio::piped()).spawn().unwrap()
    };
    let peers: Vec<_> = (0..6).map(start).collect();
    let answers = peers.into_iter().map(|peer| peer.wait_with_output().unwrap().stdout);
    let answers: Vec<_> = answers.map(|bytes| String::from_utf8(bytes).unwrap()).collect();
    let mut credentials: Vec<String> = answers.iter().map(|answer| credential(answer)).collect();
    credentials.sort();
    credentials.dedup();
    assert_eq!(credentials.len(), 6, "a locked database would have refused some");
    drop(helper);
}

#[test]
fn peers_that_send_nothing_or_half_a_line_hold_the_helper_up_for_moments_only() {
    let test = "peers_that_send_nothing_or_half_a_line_hold_the_helper_up_for_moments_only";
    let Some(served) = Served::new(test, "0.0.26", &["ann"]) else { return };
    served.settings("[mint]\nparallel = 32");
    served.host.account("lobby");
    served.start("ann");
    let helper = served.helper();
    let script = "import socket, sys, time\n\
        peers = []\n\
        for number in range(200):\n\
        \x20   peer = socket.socket(socket.AF_UNIX)\n\
        \x20   peer.connect('/run/mint.sock')\n\
        \x20   peer.sendall(b'{\"user' * (number % 2))\n\
        \x20   peers.append(peer)\n\
        open('/tmp/connected', 'w').close()\n\
        time.sleep(1000)";
    served.host.start_as("lobby", &["python3", "-c", script]);
    let connected = "test -e /tmp/connected && echo yes || :";
    wait_until("200 are connected", || served.host.sh(connected).contains("yes"));
    let threads = served.host.sh("ls /proc/$(pgrep -fo '[p]rovision t3 mint')/task | wc -l");
    assert!(threads.trim().parse::<u32>().unwrap() <= 33, "{threads}");
    let begin = Instant::now();
    credential(&served.ask("root", ANN));
    assert!(begin.elapsed() < LONG, "{:?}", begin.elapsed());
    assert_eq!(reason(&served.ask("lobby", &"x".repeat(5000))), "not-allowed");
    drop(helper);
}
