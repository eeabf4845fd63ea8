//! What a save deletes, and what never.

use crate::support::planted::{DAY, HOUR, agent, now};
use crate::support::stub_agent::id;
use crate::support::{Run, Sandbox};
use serde_json::{Value, json};

fn save(sandbox: &Sandbox) -> Run {
    sandbox.persist(["save", "--json"]).ok()
}

fn has(sandbox: &Sandbox, id: &str) -> bool {
    sandbox.snapshot_dir().join(format!("{id}.tsv")).exists()
}

fn with_session(name: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", name, "--", "sleep", "100000"]).ok();
    sandbox
}

/// The one note about what was not deleted.
fn left(saved: &Value) -> &str {
    let notes = saved["users"][0]["notes"].as_array().unwrap().iter();
    let mut notes = notes.filter_map(|note| note.as_str()?.strip_prefix("not deleted: "));
    notes.next().filter(|_| notes.next().is_none()).unwrap_or_else(|| panic!("{saved}"))
}

/// Noon of so many days ago.
fn noon(days_ago: u64) -> u64 {
    (now() / DAY - days_ago) * DAY + DAY / 2
}

#[test]
fn a_save_thins_by_age_and_leaves_what_is_damaged_or_foreign() {
    let sandbox = with_session("one");
    let one = [agent("one", &id(1))];
    let last_of_day: Vec<String> = (9..80)
        .map(|days| {
            sandbox.plant(noon(days) - HOUR, &one);
            sandbox.plant(noon(days) - 60, &one);
            sandbox.plant(noon(days), &one)
        })
        .collect();
    let last_of_hour: Vec<String> = (2..6)
        .flat_map(|days| {
            sandbox.plant(noon(days), &one);
            [sandbox.plant(noon(days) + 60, &one), sandbox.plant(noon(days) + HOUR, &one)]
        })
        .collect();
    let today = [2 * HOUR, 2 * HOUR - 60].map(|ago| sandbox.plant(now() - ago, &one));
    let dir = sandbox.snapshot_dir();
    std::fs::write(dir.join("20200101T000000Z.tsv"), "").unwrap();
    std::fs::write(dir.join("notes.txt"), "mine").unwrap();
    let before = sandbox.snapshots();
    let saved = save(&sandbox).json();
    assert_eq!(saved["users"][0]["result"], "saved");
    let note = "lost since the last save: one ('persist restore' brings it back)";
    assert_eq!(saved["users"][0]["notes"], json!([note]));
    for id in last_of_day.iter().chain(&last_of_hour).chain(&today) {
        assert!(has(&sandbox, id), "{id}");
    }
    let kept = last_of_day.len() + last_of_hour.len() + today.len();
    assert_eq!(sandbox.snapshots().len(), kept + 3, "with the new, the damaged, the foreign");
    assert!(before.len() > kept + 140);
    assert!(has(&sandbox, "20200101T000000Z") && dir.join("notes.txt").exists());
    let history = sandbox.persist(["history", "--json"]).ok().json();
    assert_eq!(history["conversations"][0]["conversation"], id(1));
}

#[test]
fn lesson_01_after_a_reboot_the_snapshot_of_fourteen_is_still_there_to_restore() {
    let sandbox = Sandbox::new();
    let names: Vec<String> = (0..14).map(|n| format!("s{n:02}")).collect();
    for name in &names {
        sandbox.tmux(["new-session", "-d", "-s", name]).ok();
    }
    let saved = save(&sandbox).json();
    let full = saved["users"][0]["snapshot"].as_str().unwrap().to_owned();
    sandbox.crash();
    // As if it had been a hundred days ago, and a small snapshot had been taken each day since.
    let at = now() - 100 * DAY;
    let old = terminal_lobby::snapshot::SnapshotId::next(at, None, None).to_string();
    let dir = sandbox.snapshot_dir();
    std::fs::rename(dir.join(format!("{full}.tsv")), dir.join(format!("{old}.tsv"))).unwrap();
    (1..100).for_each(|day| drop(sandbox.plant(at + day * DAY, &[agent("s00", &id(1))])));
    for name in ["s00", "new"] {
        sandbox.tmux(["new-session", "-d", "-s", name]).ok();
    }
    save(&sandbox);
    assert!(sandbox.snapshots().len() < 97, "it was pruned: {}", sandbox.snapshots().len());
    let from = ["restore", "--from", &old, "--json"];
    sandbox.persist(from).ok();
    let mut live = sandbox.panes("#{session_name}");
    live.retain(|name| names.contains(name));
    assert_eq!(live, names);
}

#[test]
fn lesson_10_saves_of_28_distinct_states_write_28_snapshots() {
    let sandbox = with_session("s0");
    for state in 0..28 {
        for _ in 0..4 {
            save(&sandbox);
        }
        let (old, new) = (format!("s{state}"), format!("s{}", state + 1));
        sandbox.tmux(["rename-session", "-t", &old, &new]).ok();
    }
    assert_eq!(sandbox.snapshots().len(), 28);
}

#[test]
fn lesson_10_a_store_of_thousands_is_brought_below_the_cap_and_stays_there() {
    let sandbox = with_session("one");
    for n in 0..3521_u64 {
        sandbox.plant(now() - 4000 + n, &[agent("one", &id(1))]);
    }
    save(&sandbox);
    assert_eq!(sandbox.snapshots().len(), 900);
    sandbox.tmux(["rename-session", "-t", "one", "two"]).ok();
    save(&sandbox);
    assert_eq!(sandbox.snapshots().len(), 901, "room was made for more than one");
}

#[test]
fn the_rules_come_from_the_configuration() {
    let sandbox = with_session("one");
    for n in 0..20_u64 {
        sandbox.plant(now() - 3 * HOUR + n * 60, &[agent("one", &id(1))]);
    }
    let config = sandbox.root().join("config.toml");
    std::fs::write(&config, "[retention]\nmax_snapshots = 10\n").unwrap();
    sandbox.persist(["save", "--config", config.to_str().unwrap()]).ok();
    assert_eq!(sandbox.snapshots().len(), 9);
    std::fs::write(&config, "[retention]\nkeep_for_ever = true\n").unwrap();
    let run = sandbox.persist(["save", "--config", config.to_str().unwrap()]).code(2);
    assert!(run.err().contains("keep_for_ever"), "{}", run.err());
}

#[test]
fn a_damaged_snapshot_that_looks_sound_is_named_and_left() {
    let sandbox = with_session("one");
    let one = [agent("one", &id(1))];
    let bad = sandbox.plant(noon(20) - 60, &one);
    sandbox.plant(noon(20), &one);
    let file = sandbox.snapshot_dir().join(format!("{bad}.tsv"));
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("\tlive\t", "\tliving\t")).unwrap();
    let saved = save(&sandbox).json();
    assert!(left(&saved).contains(&bad), "{saved}");
    assert!(has(&sandbox, &bad));
}

#[test]
fn what_cannot_be_deleted_is_a_note_and_the_save_succeeds() {
    let sandbox = with_session("one");
    sandbox.plant(noon(20), &[agent("one", &id(1))]);
    let orphan = sandbox.snapshot_dir().join("20200101T000000Z.scrollback");
    std::os::unix::fs::symlink(sandbox.work(), &orphan).unwrap();
    std::fs::write(sandbox.work().join("kept"), "x").unwrap();
    let saved = save(&sandbox).json();
    assert_eq!(saved["users"][0]["result"], "saved");
    assert!(left(&saved).contains(orphan.to_str().unwrap()), "{saved}");
    assert!(orphan.is_symlink() && sandbox.work().join("kept").exists());
}

#[test]
fn a_list_counts_what_is_live_and_what_is_lost() {
    let sandbox = Sandbox::new();
    let lost = terminal_lobby::snapshot::Row {
        state: terminal_lobby::snapshot::State::Lost,
        ..agent("two", &id(2))
    };
    sandbox.plant(noon(1), &[agent("one", &id(1)), lost]);
    let listed = sandbox.persist(["list", "--json"]).ok().json();
    let one = &listed["snapshots"][0];
    assert_eq!((&one["live"], &one["lost"], &one["panes"]), (&json!(1), &json!(1), &json!(2)));
    assert!(sandbox.persist(["list"]).ok().out().contains("LIVE  LOST"));
}
