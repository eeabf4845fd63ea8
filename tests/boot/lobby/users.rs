//! People come and go: parked users have no socket, and a cut ends what is open within a second.

use super::{Server, URL, View, as_user, client, host, try_client};

#[test]
fn a_cut_ends_open_views_within_a_second_and_a_line_of_the_map_as_well() {
    let test =
        "boot::lobby::users::a_cut_ends_open_views_within_a_second_and_a_line_of_the_map_as_well";
    let Some(made) = host(test, Server::Nginx) else { return };
    let (alice, bob) =
        (View::open(&made, "alice", "echo a$((1+1))"), View::open(&made, "bob", "echo b$((1+1))"));
    alice.waits_for("a2");
    bob.waits_for("b2");
    let seconds = |text: String| text.trim().parse::<f64>().unwrap();

    // The map alone: nothing of bob's is stopped.
    let cut = seconds(made.sh("sed -i /bob/d /etc/ttyd-user-map; date +%s.%N"));
    bob.waits_for("closed");
    let closed = bob.events().into_iter().find(|(_, event)| event.starts_with("closed")).unwrap();
    assert!(closed.0 - cut < 1.0, "{} s", closed.0 - cut);
    assert_eq!(closed.1, "closed 4403");
    assert_eq!(client(&made, &format!("get {URL}/api/me {}", as_user("bob"))).0, 403);
    assert_eq!(alice.count("closed"), 0, "hers goes on");

    // A cut takes seconds, and the lobby goes first.
    let cut = seconds(made.sh("date +%s.%N; provision offboard cut alice --admin >/tmp/cut 2>&1 || echo failed >>/tmp/cut"));
    alice.waits_for("closed");
    let closed = alice.events().into_iter().find(|(_, event)| event.starts_with("closed")).unwrap();
    // With what the command takes to begin.
    assert!(closed.0 - cut < 2.0, "{} s", closed.0 - cut);
    assert!(!made.sh("cat /tmp/cut").contains("failed"), "{}", made.sh("cat /tmp/cut"));
    assert_ne!(client(&made, &format!("get {URL}/api/events {}", as_user("alice"))).0, 200);
    assert_eq!(made.sh("ps -u alice --no-headers | grep -vc defunct || :"), "0\n");
    made.sh("! test -e /run/terminal-lobby/agents/alice.sock");
    for unit in ["lobby-agent@alice.socket", "lobby-agent@alice.service"] {
        assert_eq!(made.property(unit, "LoadState"), "masked", "{unit}");
        assert_ne!(made.try_sh("root", &format!("systemctl start {unit}")).code, 0);
    }
    assert_eq!(alice.count("welcome"), 1, "it did not come back");

    made.sh("provision offboard uncut alice");
    made.sh("test -S /run/terminal-lobby/agents/alice.sock");
    made.sh_as("alice", "tmux new-session -d -s again");
    let back = try_client(&made, "root", &format!("sessions {URL} {}", as_user("alice")));
    assert!(back.ok().out().contains("again\n"));
}

#[test]
fn provision_gives_agents_to_users_who_are_not_parked_where_there_is_a_lobby() {
    let test = "boot::lobby::users::provision_gives_agents_to_users_who_are_not_parked_where_there_is_a_lobby";
    let Some(made) = host(test, Server::Nginx) else { return };
    made.sh("systemctl disable --now lobby-agent@alice.socket lobby-agent@bob.socket lobby-agent@carol.socket
        systemctl stop 'lobby-agent@*.service'; groupadd -f docker; groupadd -f code-shared; mkdir -m 755 -p /etc/t3-serve");
    let apply = |bob: &str| {
        made.sh(&format!(
            "cat >/etc/terminal-lobby/roster.yaml <<'END'
users:
  alice: {{authentik_user: alice@example.org, k8s_user: alice, tier: power-user}}
  bob:   {{authentik_user: bob@example.org, k8s_user: bob, tier: power-user{bob}}}
  carol: {{authentik_user: carol@example.org, k8s_user: carol, tier: power-user}}
END
            provision apply >/tmp/applied 2>&1 || true"
        ));
        made.sh("ls /run/terminal-lobby/agents")
    };
    assert_eq!(apply(", parked: true"), "alice.sock\ncarol.sock\n");
    assert_eq!(made.property("lobby-agent@bob.socket", "UnitFileState"), "disabled");
    assert_ne!(client(&made, &format!("get {URL}/api/events {}", as_user("bob"))).0, 200);
    assert_eq!(apply(""), "alice.sock\nbob.sock\ncarol.sock\n");
    let bobs = try_client(&made, "root", &format!("sessions {URL} {}", as_user("bob"))).ok().out();
    assert_eq!(bobs, "of-bob\n");
    assert_eq!(made.property("lobby-agent@bob.service", "ActiveState"), "active");
    // Parked while it runs: the agent goes as well, his sessions stay.
    assert_eq!(apply(", parked: true"), "alice.sock\ncarol.sock\n");
    assert_eq!(made.property("lobby-agent@bob.service", "ActiveState"), "inactive");
    assert!(made.server("bob").is_some());
    // A host without a lobby has no agents, and the doctor says nothing of one.
    let lobby = || made.try_sh("root", "persist doctor").out().contains("lobby");
    assert!(lobby());
    made.sh("systemctl disable --now lobby.service lobby.socket lobby-link.socket; rm /etc/terminal-lobby/lobby.toml");
    assert_eq!(apply(""), "");
    assert!(!lobby());
}
