//! An apply that is killed at any of its external commands is completed by the next one.

use super::applied::{assert_done, prepare};
use super::boxed::MachineBox;

#[test]
fn a_kill_at_any_external_command_is_made_good_by_the_next_run() {
    let test = "a_kill_at_any_external_command_is_made_good_by_the_next_run";
    let Some(host) = MachineBox::new(test) else { return };
    prepare(&host);
    host.host(&["apply"]).ok();
    let calls = host.calls();
    let tools: Vec<&str> = calls.iter().map(|call| call.split(' ').next().unwrap()).collect();
    // apt knows nothing before its lists are renewed.
    let expected =
        ["apt-cache", "apt-get", "apt-cache", "apt-get", "npm", "visudo", "visudo", "systemctl"];
    assert_eq!(tools, expected, "{calls:#?}");
    let mut kills = 0;
    for which in 1..=tools.len() {
        // What is over at once is not killed amid it.
        let long = calls[which - 1].contains(" install ");
        for when in ["before", "amid", "after"].into_iter().filter(|when| long || *when != "amid") {
            host.next_round();
            prepare(&host);
            host.sh(&format!("echo {when} {which} >/tmp/kill"));
            let run = host.host(&["apply"]);
            assert_ne!(run.code, 0, "{when} {which}: not killed");
            kills += 1;
            host.sh("rm /tmp/kill /tmp/calls");
            let run = host.host(&["apply"]);
            assert_eq!(run.code, 0, "{when} {}: {}{}", tools[which - 1], run.out(), run.err());
            assert_done(&host);
            if tools[which - 1] == "systemctl" && when == "before" {
                assert_eq!(host.calls(), ["systemctl daemon-reload"]);
            }
            host.host(&["plan", "--detailed-exitcode"]).code(0);
        }
    }
    println!("{kills} kills");
}
