//! Homes that change while root's run is at work: the others are served, and root is led nowhere.

use super::hostile::{
    SITE, good_are_served, host, precious, roots_calls_below_homes, roster, traced_apply,
};
use crate::faults::has_strace;
use std::fmt::Write as _;

/// A user each, and what goes on in the home during the runs: a script of the user's own, or of root's
/// where a user alone could not (a mount, an attribute of the file system).
const LIVE: [(&str, &str); 12] = [
    ("flipcode", "as $user 'while :; do mkdir ~/code; rmdir ~/code; ln -s /etc/canary ~/code; rm ~/code; done'"),
    ("flipinfra", "as $user 'mkdir -p ~/code; while :; do mkdir ~/code/infra; rmdir ~/code/infra
        ln -s /home/good1 ~/code/infra; rm ~/code/infra; done'"),
    ("flipgit", "as $user 'git clone -q /srv/infra.git ~/code; cd ~/code; while :; do mv .git .g
        ln -s /home/good1 .git; rm .git; mv .g .git; done'"),
    ("fliptemp", "as $user 'mkdir -p ~/code; cd ~/code; while :; do for name in infra webapp; do
        ln -s /etc/canary .terminal-lobby.$name.clone; rm -f .terminal-lobby.$name.clone; done; done'"),
    ("vanish", "while :; do mv /home/vanish /home/.away; mv /home/.away /home/vanish; done"),
    ("become", "while :; do mv /home/become /home/.other; ln -s /etc/canary /home/become; rm /home/become
        mv /home/.other /home/become; done"),
    ("killer", "as $user 'while :; do for pid in /proc/[0-9]*; do grep -qs ^exe $pid/comm &&
        kill -9 ${pid#/proc/}; done; done'"),
    ("stopper", "as $user 'while :; do for pid in /proc/[0-9]*; do grep -qs ^exe $pid/comm &&
        kill -STOP ${pid#/proc/}; done; done'"),
    ("frozen", "as $user 'mkdir -p ~/code/x'; chattr +i /home/frozen/code || :"),
    ("append", "as $user 'mkdir -p ~/code/x'; chattr +a /home/append/code || :"),
    ("mounted", "as $user 'mkdir -p ~/code ~/.git'; mount --bind /etc/canary /home/mounted/code"),
    ("filled", "mount -t tmpfs -o size=64k,mode=700,uid=$(id -u $user) full /home/filled
        head -c 60000 /dev/zero >/home/filled/x || :"),
];

#[test]
fn homes_that_change_meanwhile_lead_root_nowhere_and_hold_up_nobody() {
    let name = "homes_that_change_meanwhile_lead_root_nowhere_and_hold_up_nobody";
    if !has_strace(name) {
        return;
    }
    let Some(here) = host(name) else { return };
    // Those who mean well share the machine with all of these.
    here.config(&SITE.replace("clone_seconds = 3", "clone_seconds = 15"));
    let users = LIVE.iter().map(|(user, _)| (*user).to_owned());
    let good = ["good1", "good2"].map(str::to_owned);
    let mut script = "as() { setpriv --reuid=$1 --regid=$1 --init-groups --inh-caps=-all \
                      env HOME=/home/$1 nice -n 19 prlimit --nproc=100 timeout 120 sh -c \"$2\" 2>/dev/null; }\n"
        .to_owned();
    for (user, live) in LIVE {
        here.host.account(user);
        here.host.sh(&format!("install -d -m 700 -o {user} -g {user} /home/{user}"));
        writeln!(script, "( user={user}; {live} ) >/dev/null 2>&1 &").unwrap();
    }
    here.roster(&roster(good.into_iter().chain(users)));
    let before = precious(&here);
    here.host.install_bytes("live.sh", script.as_bytes());
    let mut background = here.host.root_command(["sh", "-c", "sh /opt/tl/live.sh; sleep 100"]);
    let mut background = background.stdout(std::process::Stdio::null()).spawn().unwrap();
    let mut calls = 0;
    for round in 1..=2 {
        let (touched, traced) = roots_calls_below_homes(&traced_apply(&here).1);
        assert!(touched.is_empty(), "round {round}: {touched:#?}");
        calls += traced;
        assert_eq!(precious(&here), before, "round {round}");
        good_are_served(&here);
    }
    let _ = background.kill();
    let _ = background.wait();
    println!("homes that change meanwhile: {} in 2 runs, {calls} calls of root's", LIVE.len());
}
