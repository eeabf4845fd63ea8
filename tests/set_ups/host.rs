//! A restore at boot that failed, as with a home that was not there: no work that the user makes then is left
//! unsaved, nothing that was there before is lost, and it is reported.

use crate::support::host::{Host, STATE, persist_argv};
use crate::support::{metrics, wait_until};
use serde_json::{Value, json};
use terminal_lobby::snapshot::{self, Row, Snapshot, State};

mod trouble;

/// As `persist boot --announce` does before the restore: the user's sessions are to be restored.
fn announce(host: &Host, user: &str) {
    let uid = host.uid(user);
    host.sh(&format!(
        "mkdir -p /run/tmux-persist/pending; cd /run/tmux-persist/pending; rm -f {uid}
        mkfifo -m 600 {uid}; chown {uid} {uid}"
    ));
}

fn is_pending(host: &Host, user: &str) -> bool {
    let mode = host.sh(&format!("stat -c %a /run/tmux-persist/pending/{}", host.uid(user)));
    mode == "600\n"
}

/// A user with these sessions, which were saved; then the host went down, and at the next boot nothing was restored.
fn not_restored(test: &str, sessions: &[&str]) -> Option<Host> {
    let host = Host::new(test)?;
    host.user("ann");
    host.sessions("ann", sessions);
    host.persist(["save"]).ok();
    host.end_all_of("ann");
    announce(&host, "ann");
    Some(host)
}

fn latest(host: &Host, user: &str) -> Snapshot {
    snapshot::decode(host.sh(&format!("cat {STATE}/{user}.tsv")).as_bytes()).unwrap()
}

/// The sessions of the newest snapshot, each with the states of its panes.
fn saved(host: &Host, user: &str) -> Vec<(String, Vec<State>)> {
    let mut sessions: Vec<(String, Vec<State>)> = Vec::new();
    for Row { session, state, .. } in latest(host, user).rows {
        let name = String::from_utf8(session).unwrap();
        match sessions.last_mut().filter(|(last, _)| *last == name) {
            Some((_, states)) => states.push(state),
            None => sessions.push((name, vec![state])),
        }
    }
    sessions
}

fn live(host: &Host, user: &str) -> Vec<String> {
    let run = host.tmux(user, ["list-sessions", "-F", "#{session_name}"]);
    let mut names: Vec<String> = run.out().lines().map(str::to_owned).collect();
    names.sort();
    names
}

fn of(name: &str, states: &[State]) -> (String, Vec<State>) {
    (name.to_owned(), states.to_vec())
}

#[track_caller]
fn status(host: &Host, code: i32) -> Value {
    let json = host.persist(["status", "--json"]).code(code).json();
    json["users"][0].clone()
}

/// What `doctor` says in the check of that name.
#[track_caller]
fn doctor(host: &Host, code: i32, name: &str) -> Value {
    let json = host.persist(["doctor", "--json"]).code(code).json();
    let checks = json["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == name).unwrap_or(&Value::Null).clone()
}

#[track_caller]
fn metric(host: &Host, name: &str, code: i32) -> String {
    host.persist(["status", "--quiet", "--metrics", "/run/it.prom"]).code(code);
    let text = host.read("/run/it.prom");
    let line = format!("tmux_persist_{name}{{user=\"ann\"}} ");
    text.lines().find_map(|found| found.strip_prefix(&line)).unwrap_or(&text).to_owned()
}

#[test]
fn work_made_after_a_failed_restore_is_saved_and_what_was_there_is_kept() {
    let test = "work_made_after_a_failed_restore_is_saved_and_what_was_there_is_kept";
    let Some(host) = not_restored(test, &["old", "older"]) else { return };
    host.sessions("ann", &["day1"]);
    host.persist(["save"]).ok();
    let expected =
        [of("day1", &[State::Shell]), of("old", &[State::Lost]), of("older", &[State::Lost])];
    assert_eq!(saved(&host, "ann"), expected);
    host.sessions("ann", &["day2"]);
    host.as_user("ann", persist_argv(["save"])).ok();
    assert_eq!(saved(&host, "ann")[1], of("day2", &[State::Shell]), "the user's own save");

    // The next boot, which restores.
    host.end_all_of("ann");
    announce(&host, "ann");
    host.persist(["restore"]).ok();
    assert_eq!(live(&host, "ann"), ["day1", "day2", "old", "older"]);
    assert!(!is_pending(&host, "ann"));
    status(&host, 0);
}

#[test]
fn a_failed_restore_is_reported_while_the_user_works_again() {
    let test = "a_failed_restore_is_reported_while_the_user_works_again";
    let Some(host) = not_restored(test, &["old", "older"]) else { return };
    host.sessions("ann", &["day1"]);
    for saved in [false, true] {
        if saved {
            host.persist(["save"]).ok();
        }
        let seen = status(&host, 1);
        assert_eq!((&seen["overdue"], &seen["not_restored"]), (&json!(true), &json!(true)));
        assert_eq!(seen["not_restored_sessions"], 2, "{seen}");
        let said = host.persist(["status"]).code(1).err();
        let why = "ann: not restored since the host came up: 2 sessions missing";
        assert!(said.contains(why), "{said}");
        let check = doctor(&host, 1, "restored");
        assert_eq!((&check["state"], &check["user"]), (&json!("fault"), &json!("ann")));
        assert_eq!(check["mend"], "persist restore --user ann");
        assert_eq!(metric(&host, "not_restored", 1), "1");
        assert_eq!(metric(&host, "not_restored_sessions", 1), "2");
    }
    assert_eq!(metric(&host, "save_overdue", 1), "0", "all of it is saved");
    host.persist(["restore"]).ok();
    assert_eq!(doctor(&host, 0, "restored")["state"], "ok");
    assert_eq!(metric(&host, "not_restored", 0), "0");
}

#[test]
fn a_failed_restore_is_reported_with_its_sessions_before_the_user_comes() {
    let test = "a_failed_restore_is_reported_with_its_sessions_before_the_user_comes";
    let Some(host) = not_restored(test, &["one", "two", "three"]) else { return };
    host.sh("mv /home/ann /home/away"); // as a disk that was not there
    let seen = status(&host, 1);
    assert_eq!((&seen["server"], &seen["not_restored_sessions"]), (&json!("none"), &json!(3)));
    assert_eq!((&seen["panes"]["lost"], &seen["panes"]["shell"]), (&json!(3), &json!(0)));
    let check = doctor(&host, 1, "restored");
    assert!(check["what"].as_str().unwrap().contains("3 sessions missing"), "{check}");
    // What the user closes is not missed.
    host.sh("mv /home/away /home/ann");
    host.persist(["forget", "--user", "ann", "one"]).ok();
    assert_eq!(status(&host, 1)["not_restored_sessions"], 2);
}

#[test]
fn a_session_of_a_taken_name_is_kept_beside_the_new_one_with_its_shells() {
    let test = "a_session_of_a_taken_name_is_kept_beside_the_new_one_with_its_shells";
    let Some(host) = Host::new(test) else { return };
    host.user("ann");
    host.sessions("ann", &["main"]);
    host.tmux("ann", ["split-window", "-t", "main", "-c", "/usr", "--", "sleep", "100000"]).ok();
    host.persist(["save"]).ok();
    host.end_all_of("ann");
    announce(&host, "ann");
    // As a login that always starts `main`.
    host.tmux("ann", ["new-session", "-d", "-s", "main", "-c", "/srv", "--", "sleep", "100000"])
        .ok();
    for _ in 0..3 {
        host.persist(["save"]).ok();
    }
    let sessions = saved(&host, "ann");
    assert_eq!(sessions.len(), 2, "{sessions:?}");
    assert_eq!(sessions[0], of("main", &[State::Shell]));
    assert!(sessions[1].0.starts_with("main-"), "{sessions:?}");
    assert_eq!(sessions[1].1, [State::Lost; 2]);
    host.persist(["restore"]).ok();
    let panes = host.tmux("ann", ["list-panes", "-a", "-F", "#{pane_start_path}"]).out();
    assert_eq!(panes.lines().count(), 3, "{panes}");
    host.persist(["save"]).ok();
    assert_eq!(saved(&host, "ann").len(), 2, "nothing is kept twice");
}

#[test]
fn what_is_still_to_be_restored_does_not_expire() {
    let test = "what_is_still_to_be_restored_does_not_expire";
    let Some(host) = not_restored(test, &["old"]) else { return };
    host.sh("echo 'lost_window_hours = 0' >>/etc/terminal-lobby/config.toml");
    host.sessions("ann", &["new"]);
    host.persist(["save"]).ok();
    let since = latest(&host, "ann").rows[1].lost_since.unwrap();
    wait_until("the window is over", || {
        host.sh("date +%s").trim().parse::<u64>().unwrap() > since + 1
    });
    host.persist(["save"]).ok();
    assert_eq!(saved(&host, "ann")[1], of("old", &[State::Lost]));
    // Once it is restored and lost again, the window counts.
    host.persist(["restore"]).ok();
    host.persist(["save"]).ok();
    host.tmux("ann", ["kill-session", "-t", "=old"]).ok();
    wait_until("it has expired", || {
        host.persist(["save"]).ok();
        saved(&host, "ann") == [of("new", &[State::Shell])]
    });
}

#[test]
fn a_part_that_is_restored_by_name_leaves_the_rest_to_be_restored() {
    let test = "a_part_that_is_restored_by_name_leaves_the_rest_to_be_restored";
    let Some(host) = not_restored(test, &["one", "two"]) else { return };
    host.persist(["restore", "--user", "ann", "one"]).ok();
    host.persist(["save"]).ok();
    assert_eq!(saved(&host, "ann"), [of("one", &[State::Shell]), of("two", &[State::Lost])]);
    assert_eq!(status(&host, 1)["not_restored_sessions"], 1);
    host.persist(["restore", "--user", "ann", "two"]).ok();
    host.persist(["save"]).ok();
    assert!(!is_pending(&host, "ann"), "all of it is back");
    status(&host, 0);
}

#[test]
fn a_save_that_finds_all_of_it_live_ends_the_wait_for_the_restore() {
    let test = "a_save_that_finds_all_of_it_live_ends_the_wait_for_the_restore";
    let Some(host) = Host::new(test) else { return };
    host.user("ann");
    host.sessions("ann", &["work"]);
    host.persist(["save"]).ok();
    announce(&host, "ann"); // as by a start of the unit in the middle of the day
    host.sessions("ann", &["more"]);
    host.persist(["save"]).ok();
    assert_eq!(saved(&host, "ann"), [of("more", &[State::Shell]), of("work", &[State::Shell])]);
    assert!(!is_pending(&host, "ann"));
    status(&host, 0);
}

#[test]
fn what_the_user_closes_before_the_restore_stays_closed() {
    let test = "what_the_user_closes_before_the_restore_stays_closed";
    let Some(host) = not_restored(test, &["done", "open"]) else { return };
    host.sessions("ann", &["new"]);
    host.persist(["save"]).ok();
    host.persist(["forget", "--user", "ann", "done"]).ok();
    host.persist(["save"]).ok();
    assert_eq!(saved(&host, "ann"), [of("new", &[State::Shell]), of("open", &[State::Lost])]);
    host.persist(["restore"]).ok();
    assert_eq!(live(&host, "ann"), ["new", "open"]);
}

#[test]
fn a_clock_that_was_set_back_leaves_no_work_unsaved_before_the_restore() {
    let test = "a_clock_that_was_set_back_leaves_no_work_unsaved_before_the_restore";
    let Some(host) = not_restored(test, &["old"]) else { return };
    host.sh(&format!("cd {STATE}/ann; mv snapshots/2*.tsv snapshots/20990101T000000Z.tsv"));
    host.sessions("ann", &["new"]);
    host.persist(["save"]).ok();
    assert_eq!(saved(&host, "ann"), [of("new", &[State::Shell]), of("old", &[State::Lost])]);
    assert!(host.sh(&format!("readlink {STATE}/ann/latest")).contains("20990101T000000Z-1"));
}

#[test]
fn an_account_that_is_removed_before_its_restore_stops_nobody_else() {
    let test = "an_account_that_is_removed_before_its_restore_stops_nobody_else";
    let Some(host) = not_restored(test, &["old"]) else { return };
    host.user("bob");
    host.sessions("bob", &["work"]);
    announce(&host, "bob");
    host.sh("sed -i /^ann:/d /etc/passwd; sed -i /=ann/d /etc/ttyd-user-map");
    host.persist(["save"]).ok();
    assert_eq!(saved(&host, "bob"), [of("work", &[State::Shell])]);
    assert!(!is_pending(&host, "bob"), "nothing of bob's was missing");
    let seen = host.persist(["status", "--json"]).ok().json();
    assert_eq!(seen["users"].as_array().unwrap().len(), 1, "{seen}");
}

#[test]
fn every_metric_of_a_failed_restore_is_what_prometheus_reads() {
    let test = "every_metric_of_a_failed_restore_is_what_prometheus_reads";
    let Some(host) = not_restored(test, &["one"]) else { return };
    host.persist(["status", "--quiet", "--metrics", "/run/it.prom"]).code(1);
    let samples = metrics::parse(&host.read("/run/it.prom"));
    assert_eq!(samples["tmux_persist_not_restored_sessions{user=\"ann\"}"], "1");
}
