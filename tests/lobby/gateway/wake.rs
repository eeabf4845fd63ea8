//! An agent that notifies browsers runs again after the gateway has started, though no page is open.

use super::lab::{Lab, parse};
use crate::support::wait::wait_until;

const ANN: &str = "ann@example.org";
/// A browser, with the keys of the example of RFC 8291, section 5. No push service is there.
const BROWSER: &str = r#"{"endpoint":"http://127.0.0.1:9/","p256dh":"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4","auth":"BTBZMqHH6r4Tts7J_aSIgg","site":"https://lobby.test"}"#;

/// Processes of agents of a user's.
fn agents(lab: &Lab, user: &str) -> Vec<String> {
    let uid = lab.host.uid(user);
    let all = lab.host.sh(&format!(
        "for pid in /proc/[0-9]*; do [ \"$(stat -c %u $pid 2>/dev/null)\" = {uid} ] \
         && tr '\\0' ' ' <$pid/cmdline 2>/dev/null | grep -q 'lobby agent' && basename $pid; done; :"
    ));
    all.lines().map(str::to_owned).collect()
}

#[test]
fn an_agent_with_a_browser_to_notify_is_started_with_the_gateway_and_others_are_not() {
    let Some(lab) = Lab::new("lobby::gateway") else { return };
    let post = |path: &str, body: &str| parse(&lab.post(path, &Lab::as_user(ANN), body));
    assert_eq!(post("/api/push/key", "{}").0, 200);
    let (status, answer) = post("/api/push/subscribe", BROWSER);
    assert_eq!(status, 200, "{answer}");
    let kept = || lab.host.sh("cat /var/lib/lobby/wake.json 2>/dev/null || :");
    wait_until("it is kept", || kept().contains("\"ann\""));
    // No browser gets to know that, and there is no service worker in another user's place.
    let answer = lab.ask("GET /api/push", &Lab::as_user(ANN)).to_lowercase();
    assert!(!answer.contains("x-lobby-wake"), "{answer}");
    let worker = |path: &str| lab.get(path, ANN).0;
    assert_eq!((worker("/sw.js"), worker("/as/ann/sw.js")), (200, 404));
    // The host starts again.
    lab.kill();
    for user in ["ann", "bob"] {
        for pid in agents(&lab, user) {
            lab.host.sh(&format!("kill -9 {pid}"));
        }
        wait_until("it has ended", || agents(&lab, user).is_empty());
        lab.agent(user);
    }
    lab.start();
    wait_until("ann's agent runs", || !agents(&lab, "ann").is_empty());
    assert_eq!(agents(&lab, "bob"), Vec::<String>::new());
    // Without the browser it need not.
    let (_, devices) = lab.get("/api/push", ANN);
    let id = devices[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(post(&format!("/api/push/{id}/remove"), "{}").0, 204);
    wait_until("it is kept", || !kept().contains("\"ann\""));
}
