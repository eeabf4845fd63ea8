use super::*;
use terminal_lobby::persist::sessions::{Need, SessionView};

const ID: &str = "0123456789abcdef";
const START: Millis = 1_000_000_000;

fn session(need: Need, since: Epoch) -> Arc<Session> {
    let view = SessionView {
        birth_id: ID.to_owned(),
        number: Some(1),
        name: b"a".to_vec(),
        need,
        since: Some(since),
        ..SessionView::default()
    };
    Arc::new(Session::of(&view, b"/home/u", false))
}

/// One person's, with the time.
struct Lab {
    notified: Notified,
    marks: Marks,
    looks: BTreeMap<String, usize>,
    now: Millis,
    is_first: bool,
}

impl Lab {
    /// Follows a session that is in this state at first.
    fn new(need: Need) -> Self {
        let mut lab = Self {
            notified: Notified::default(),
            marks: Marks::default(),
            looks: BTreeMap::new(),
            now: START,
            is_first: true,
        };
        assert_eq!(lab.is(need, 1), Plan::default(), "what was before is no news");
        lab.now += 100_000;
        lab
    }

    fn is(&mut self, need: Need, since: Epoch) -> Plan {
        let list = [session(need, since)];
        self.notified.observe(&list, self.is_first, self.now);
        self.is_first = false;
        self.notified.plan(&list, &self.marks, &self.looks, self.now)
    }

    /// As `is`, a while later; whether a notification is sent, which is then taken.
    fn sends_after(&mut self, time: Millis, need: Need, since: Epoch) -> bool {
        self.now += time;
        let plan = self.is(need, since);
        for due in &plan.due {
            self.notified.sent(ID, due.at, Outcome::Done, self.now);
        }
        !plan.due.is_empty()
    }

    /// The agent is started again: only what is kept is known.
    fn restart(&mut self) {
        let kept = serde_json::to_string(&self.notified).unwrap();
        self.notified = serde_json::from_str(&kept).unwrap();
        self.is_first = true;
    }
}

#[test]
fn what_has_lasted_is_sent_once_and_what_has_not_is_not() {
    let mut lab = Lab::new(Need::Working);
    assert_eq!(lab.is(Need::Waiting, 9).next, Some(lab.now + DWELL));
    assert!(!lab.sends_after(DWELL - 1, Need::Waiting, 9));
    assert!(lab.sends_after(1, Need::Waiting, 9));
    assert!(!lab.sends_after(10 * COOL_DOWN, Need::Waiting, 9));
    assert_eq!(lab.is(Need::Waiting, 9), Plan { open: vec![ID.into()], ..Plan::default() });
    let mut lab = Lab::new(Need::Working);
    lab.is(Need::Idle, 9);
    assert!(!lab.sends_after(DWELL - 1, Need::Working, 10));
    assert!(!lab.sends_after(DWELL, Need::Working, 10));
    assert_eq!(lab.is(Need::Working, 10), Plan::default());
}

#[test]
fn an_agent_that_worked_is_done_and_one_that_starts_or_was_left_is_no_news() {
    for (before, after, is_news) in [
        (Need::Working, Need::Idle, true),
        (Need::Unknown, Need::Idle, false),
        (Need::Shell, Need::Idle, false),
        (Need::Suspended, Need::Idle, false),
        (Need::Idle, Need::Suspended, false),
        (Need::Idle, Need::Shell, false),
        (Need::Working, Need::Shell, true),
        (Need::Working, Need::Lost, true),
        (Need::Shell, Need::Lost, true),
        (Need::Saved, Need::Lost, false),
        (Need::Working, Need::Ended, false),
        (Need::Idle, Need::Waiting, true),
    ] {
        let mut lab = Lab::new(before);
        lab.is(after, 9);
        assert_eq!(lab.sends_after(DWELL, after, 9), is_news, "{before:?} {after:?}");
    }
}

#[test]
fn two_notifications_of_a_session_are_a_minute_apart_and_the_second_still_comes() {
    let mut lab = Lab::new(Need::Working);
    lab.is(Need::Waiting, 9);
    assert!(lab.sends_after(DWELL, Need::Waiting, 9));
    lab.is(Need::Working, 10);
    assert!(!lab.sends_after(1000, Need::Waiting, 11));
    assert!(!lab.sends_after(DWELL, Need::Waiting, 11));
    assert!(lab.sends_after(COOL_DOWN, Need::Waiting, 11));
}

#[test]
fn after_a_restart_nothing_is_sent_twice_and_what_became_true_meanwhile_is_sent() {
    let mut lab = Lab::new(Need::Working);
    lab.is(Need::Waiting, 9);
    assert!(lab.sends_after(DWELL, Need::Waiting, 9));
    lab.restart();
    assert!(!lab.sends_after(COOL_DOWN, Need::Waiting, 9));
    // It worked and was done while no one looked.
    let mut lab = Lab::new(Need::Idle);
    lab.restart();
    lab.is(Need::Idle, 9);
    assert!(lab.sends_after(DWELL, Need::Idle, 9));
    lab.restart();
    assert!(!lab.sends_after(COOL_DOWN, Need::Idle, 9));
    // It was killed while it sent: what it had claimed comes later.
    let mut lab = Lab::new(Need::Working);
    lab.is(Need::Waiting, 9);
    lab.now += DWELL;
    assert_eq!(lab.is(Need::Waiting, 9).due.len(), 1);
    lab.restart();
    assert!(!lab.sends_after(1000, Need::Waiting, 9));
    assert!(lab.sends_after(CLAIM, Need::Waiting, 9));
}

#[test]
fn of_what_is_looked_at_was_seen_or_is_muted_nothing_is_sent() {
    let mut lab = Lab::new(Need::Working);
    lab.looks.insert(ID.to_owned(), 1);
    assert_eq!(lab.is(Need::Waiting, 9).next, None);
    assert!(!lab.sends_after(DWELL, Need::Waiting, 9));
    // The page vanished before: it is sent all the same.
    lab.looks.clear();
    lab.marks.open(ID, (START + 50_000) / 1000);
    assert!(lab.sends_after(DWELL, Need::Waiting, 9));
    // It was seen.
    let mut lab = Lab::new(Need::Working);
    lab.is(Need::Waiting, 9);
    lab.marks.open(ID, lab.now / 1000 + 1);
    assert!(!lab.sends_after(DWELL, Need::Waiting, 9));
    lab.marks.opened.clear();
    assert!(!lab.sends_after(DWELL, Need::Waiting, 9), "it stays dealt with");
    for all in [false, true] {
        let mut lab = Lab::new(Need::Working);
        lab.marks.all_muted = all;
        lab.marks.mute(ID, !all);
        lab.is(Need::Waiting, 9);
        assert!(!lab.sends_after(DWELL, Need::Waiting, 9));
        lab.marks = Marks::default();
        assert!(!lab.sends_after(DWELL, Need::Waiting, 9), "not what was true while it was muted");
        lab.is(Need::Waiting, 10);
        assert!(lab.sends_after(DWELL, Need::Waiting, 10));
    }
}

#[test]
fn what_was_not_taken_is_tried_again_later_and_later_for_those_who_lack_it() {
    let mut lab = Lab::new(Need::Working);
    lab.is(Need::Waiting, 9);
    lab.now += DWELL;
    let due = lab.is(Need::Waiting, 9).due.remove(0);
    let later = |not_before| Outcome::Later { lack: vec!["b".into()], not_before };
    lab.notified.sent(ID, due.at, later(lab.now + 45_000), lab.now);
    assert_eq!(lab.is(Need::Waiting, 9).next, Some(lab.now + 45_000));
    lab.now += 45_000;
    let due = lab.is(Need::Waiting, 9).due.remove(0);
    assert_eq!(due.lack, ["b"]);
    lab.notified.sent(ID, due.at, later(0), lab.now);
    assert_eq!(lab.is(Need::Waiting, 9).next, Some(lab.now + 2 * FIRST_RETRY));
    // Not for good.
    let mut tries = 2;
    while let Some(next) = lab.is(Need::Waiting, 9).next {
        lab.now = next;
        let due = lab.is(Need::Waiting, 9).due.remove(0);
        lab.notified.sent(ID, due.at, later(0), lab.now);
        tries += 1;
        assert!(tries < 20);
    }
    assert_eq!(tries, MAX_TRIES + 1);
    // What is no longer true is not tried.
    let mut lab = Lab::new(Need::Working);
    lab.is(Need::Waiting, 9);
    lab.now += DWELL;
    let due = lab.is(Need::Waiting, 9).due.remove(0);
    lab.is(Need::Working, 10);
    lab.notified.sent(ID, due.at, later(0), lab.now);
    assert!(!lab.sends_after(LAST_RETRY, Need::Working, 10));
}

#[test]
fn sessions_that_are_gone_are_forgotten_and_old_losses_are_no_news() {
    let mut lab = Lab::new(Need::Working);
    lab.notified.observe(&[], false, lab.now);
    assert!(lab.notified.sessions.is_empty());
    let lost =
        |changed| Arc::new(Session { state: "lost", changed, ..(*session(Need::Lost, 0)).clone() });
    for (changed, is_news) in [(START / 1000 - 10, false), (START / 1000 + 10, true)] {
        lab.notified.sessions.clear();
        lab.notified.observe(&[lost(changed)], true, lab.now);
        assert_eq!(lab.notified.sessions[ID].is_news, is_news, "{changed}");
    }
}
