//! `lobby-agent@`: a user's agent under a real systemd. Its socket starts it, in a session of the user's own; views and
//! sessions outlive it.

use crate::support::boxes::PACKAGE;
use crate::support::{BootBox, On, wait_until};

const TYPIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/boot/typist");
const UNIT: &str = "lobby-agent@alice.service";
const SOCKET: &str = "/run/terminal-lobby/agents/alice.sock";

/// Makes a session through the agent's socket; gives its id.
fn create(made: &BootBox) -> String {
    let ask = format!(
        "import socket, json
s = socket.socket(socket.AF_UNIX); s.connect('{SOCKET}')
body = json.dumps(dict(directory='~', name='web')).encode()
s.sendall(b'POST /api/sessions HTTP/1.1\\r\\nhost: a\\r\\nx-lobby-actor: alice\\r\\nx-lobby-access: drive\\r\\n'
  b'content-type: application/json\\r\\ncontent-length: %d\\r\\n\\r\\n' % len(body) + body)
answer = b''
while got := s.recv(4096): answer += got
print(json.loads(answer.split(b'\\r\\n\\r\\n', 1)[1])['id'])"
    );
    made.sh(&format!("python3 - <<'END'\n{ask}\nEND")).trim().to_owned()
}

fn main_pid(made: &BootBox) -> String {
    made.property(UNIT, "MainPID")
}

/// Waits until the agent runs as another process than before, and the page is back.
fn is_another(made: &BootBox, before: &str) {
    wait_until("another agent runs", || {
        let now = main_pid(made);
        now != "0" && now != before && made.property(UNIT, "ActiveState") == "active"
    });
    made.sh("sleep 0.5"); // the page types for a while
}

#[test]
fn views_and_sessions_outlive_an_agent_that_is_killed_restarted_upgraded_and_stopped() {
    let test = "boot::lobby_agent::views_and_sessions_outlive_an_agent_that_is_killed_restarted_upgraded_and_stopped";
    let Some(made) = BootBox::booted(test, On::Host) else { return };
    made.sh("systemctl start lobby-agent@alice.socket");
    assert_eq!(made.property(UNIT, "ActiveState"), "inactive", "no one looks");
    assert_eq!(made.sh(&format!("stat -c '%U %G %a' {SOCKET}")), "root lobby 660\n");
    assert_eq!(made.server("alice"), None);
    let id = create(&made);
    let server = made.server("alice").expect("a server was started");
    let group = made.sh(&format!("grep ^0:: /proc/{server}/cgroup"));
    assert!(group.starts_with("0::/user.slice/user-1000.slice/session-"), "{group}");

    made.without_login(
        "alice",
        "tmux send-keys -t =web: 'stty raw -echo; exec cat >~/typed' Enter",
    );
    wait_until("the program runs", || made.try_sh("root", "test -e /home/alice/typed").code == 0);
    made.copy_in(TYPIST, "/usr/local/bin/typist");
    made.sh(&format!(
        "chmod 755 /usr/local/bin/typist
        systemd-run --quiet --unit=typist typist {SOCKET} {id} /run/typed"
    ));
    wait_until("it types", || made.try_sh("root", "test -s /home/alice/typed").code == 0);
    let client = || made.without_login("alice", "tmux list-clients -F '#{client_pid}'");
    let view = client();
    for _ in 0..8 {
        let before = main_pid(&made);
        made.sh(&format!("kill -9 {before}"));
        is_another(&made, &before);
    }
    assert_eq!(made.property(UNIT, "NFileDescriptorStore"), "2");
    let before = main_pid(&made);
    made.sh(&format!("systemctl restart {UNIT}"));
    is_another(&made, &before);
    let before = main_pid(&made);
    made.copy_in(PACKAGE, "/var/tmp/terminal-lobby.deb");
    made.sh("dpkg -i /var/tmp/terminal-lobby.deb >/dev/null");
    is_another(&made, &before);
    assert_eq!(client(), view, "the same view");

    made.sh("kill -TERM $(systemctl show -P MainPID typist.service)");
    wait_until("all was taken", || made.try_sh("root", "test -e /run/typed").code == 0);
    wait_until("each key arrived once and in order", || {
        made.try_sh("root", "cmp /run/typed /home/alice/typed").code == 0
    });
    let slowest: f64 = made.sh("cat /run/typed.slowest").parse().unwrap();
    assert!(slowest < 2.0, "the view was away for {slowest} s");

    made.sh(&format!("systemctl stop lobby-agent@alice.socket {UNIT}"));
    wait_until("its views have ended", || client().is_empty());
    assert_eq!(made.server("alice"), Some(server), "its sessions have not");
}
