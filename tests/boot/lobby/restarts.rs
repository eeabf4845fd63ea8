//! Restarts are not felt: gateway and agents killed, the package upgraded, the host rebooted.

use super::{Server, URL, View, as_user, client, host};
use crate::support::boxes::USERS;
use crate::support::wait_until;

#[test]
fn views_go_on_when_the_gateway_or_an_agent_is_killed_and_when_the_package_is_upgraded() {
    let test = "boot::lobby::restarts::views_go_on_when_the_gateway_or_an_agent_is_killed_and_when_the_package_is_upgraded";
    let Some(made) = host(test, Server::Nginx) else { return };
    let view =
        View::open(&made, "alice", "n=0; while sleep 0.1; do n=$((n+1)); echo line-$n-end; done");
    view.waits_for("line-3-end");
    let server = made.server("alice");
    let mut welcomes = 1;
    let mut goes_on = |what: &str, script: &str| {
        made.sh(script);
        welcomes += 1;
        wait_until(what, || view.count("welcome") >= welcomes);
        let back = view.events();
        let of =
            |kind: &str| back.iter().rfind(|(_, event)| event.starts_with(kind)).unwrap().clone();
        assert!(of("welcome").1.contains("\"resumed\":true"), "{what}: {back:#?}");
        let took = of("welcome").0 - of("closed").0;
        assert!(took < 2.0, "{what}: {took} s");
        let shown = view.count("output");
        wait_until("it shows more", || view.count("output") > shown);
        welcomes = view.count("welcome");
    };
    goes_on("the gateway was killed", "kill -9 $(systemctl show -P MainPID lobby.service)");
    goes_on(
        "the agent was killed",
        "kill -9 $(systemctl show -P MainPID lobby-agent@alice.service)",
    );
    let dir = tempfile::tempdir().unwrap();
    made.copy_in(crate::boot::package::newer(dir.path()), "/var/tmp/newer.deb");
    goes_on(
        "the package was upgraded",
        "DEBIAN_FRONTEND=noninteractive dpkg -i --force-confdef --force-confold /var/tmp/newer.deb",
    );
    assert_eq!(made.server("alice"), server, "the sessions live on");
    assert_eq!(made.sh("systemctl list-units --failed --plain --no-legend"), "");
    // Every line was shown, each once.
    let shown: String = view
        .events()
        .into_iter()
        .filter_map(|(_, event)| event.strip_prefix("output ").map(str::to_owned))
        .collect();
    assert!(shown.contains("line-4-end"), "{shown}");
}

#[test]
fn after_a_reboot_everything_is_back_by_itself_and_a_removal_leaves_nothing() {
    let test = "boot::lobby::restarts::after_a_reboot_everything_is_back_by_itself_and_a_removal_leaves_nothing";
    let Some(made) = host(test, Server::Nginx) else { return };
    made.sh("systemctl start tmux-persist-save.service");
    made.reboot();
    for user in USERS {
        wait_until("the lobby is back, with the sessions", || {
            let arguments = format!("sessions {URL} {}", as_user(user));
            super::try_client(&made, "root", &arguments).out() == format!("of-{user}\n")
        });
    }
    assert_eq!(made.sh("systemctl list-units --failed --plain --no-legend"), "");

    let server = made.server("alice");
    made.sh("dpkg -r terminal-lobby");
    assert_eq!(client(&made, &format!("get {URL}/api/me {}", as_user("alice"))).0, 502);
    assert_eq!(made.server("alice"), server);
    assert_eq!(
        made.sh(
            "find /run/terminal-lobby -type s; systemctl list-units --plain --no-legend 'lobby*'"
        ),
        ""
    );
    made.sh("dpkg -P terminal-lobby 2>/tmp/said; ! test -e /run/terminal-lobby; ! test -e /var/lib/lobby
        grep -q 'the account lobby is kept' /tmp/said
        ! ls /etc/systemd/system/*.wants/lobby* 2>/dev/null");
}
