use super::*;
use crate::provision::home::code::Remote;
use crate::provision::observe::observed::Account;
use crate::roster::tests::row;

const INFRA: &str = "https://git.example/infra.git";

fn settings() -> Settings {
    let text =
        format!("infra_remote = '{INFRA}'\nrepo_remote = 'https://git.example/{{repo}}.git'");
    toml::from_str(&text).unwrap()
}

fn host(facts: Facts) -> Observed {
    let mut observed = Observed::default();
    let (home, shell) = ("/home/ann".to_owned(), "/bin/sh".to_owned());
    let account = Account { uid: 1001, gid: 1001, home, shell, local: true };
    observed.accounts.insert("ann".into(), account);
    let facts = crate::provision::home::Facts { code: Some(facts), ..Default::default() };
    observed.inside.insert("ann".into(), Inside::Seen(Box::new(facts)));
    observed
}

fn workspace(repos: &[&str]) -> Row {
    let repos = repos.iter().map(|&name| name.to_owned()).collect();
    Row { code_layout: Layout::Workspace, repos, ..row("ann.x", Tier::PowerUser) }
}

fn clone_of(url: &str) -> Place {
    let remotes = vec![Remote { name: "origin".into(), url: url.into() }];
    Place::Clone(Clone { remotes, ..Clone::default() })
}

fn lines(row: &Row, facts: Facts) -> Vec<String> {
    let changes = plan("ann", row, &host(facts), &settings());
    let line = |change: &Change| {
        let line = format!("{} {}", change.verb.shown().1, change.id);
        let nor: Vec<String> = change.lines.iter().map(|line| format!("; {line}")).collect();
        let nor = nor.concat();
        if change.verb.changes() { line } else { format!("{line}: {}{nor}", change.why) }
    };
    changes.iter().map(line).collect()
}

const WEB: &str = "https://git.example/web.git";

/// A clone with which a move was begun.
fn begun(url: &str) -> Place {
    let Place::Clone(clone) = clone_of(url) else { unreachable!() };
    Place::Clone(Clone { moving: true, ..clone })
}

fn with(code: Place, infra: Place) -> Facts {
    Facts { code, infra, ..Facts::default() }
}

fn pipe() -> Place {
    Place::Other("a pipe".into())
}

#[track_caller]
fn check(row: &Row, table: Vec<(Facts, &[&str])>) {
    for (facts, expected) in table {
        assert_eq!(lines(row, facts.clone()), expected, "{facts:#?}");
    }
}

#[test]
fn each_thing_in_the_place_of_a_single_clone_has_its_line() {
    const OTHER: &str = "report ann/code-remote: a clone of something else: left alone";
    let at = |code: Place| with(code, Place::Absent);
    let left = Facts { leftovers: vec![Spot::Code], ..at(clone_of(INFRA)) };
    let half = Facts { between: begun(INFRA), ..Facts::default() };
    let table: Vec<(Facts, &[&str])> = vec![
        (Facts::default(), &["add ann/code"]),
        (at(clone_of(INFRA)), &[]),
        (at(clone_of("git@git.example:infra")), &[]),
        (at(clone_of(WEB)), &[OTHER]),
        (at(Place::Clone(Clone::default())), &["add ann/code-remote"]),
        (at(Place::Directory), &["report ann/code: a directory that is no clone: left alone"]),
        (at(Place::Link), &["report ann/code: a link: left alone"]),
        (at(pipe()), &["refused ann/code: a pipe: left alone"]),
        (at(Place::Unknown("why".into())), &["refused ann/code: why: left alone"]),
        (left, &["repair ann/code-tidy-code"]),
        (half, &["repair ann/code-move"]),
    ];
    check(&row("ann.x", Tier::PowerUser), table);
}

#[test]
fn each_thing_in_the_place_of_a_workspace_has_its_line() {
    const OTHER: &str = "report ann/code: a clone of something else: left alone; nor ~/code/web";
    let at = |code: Place| with(code, Place::Absent);
    let half = Facts { between: begun(INFRA), ..at(Place::Directory) };
    // Somebody's own directory under the name that a move uses.
    let own = Facts { between: clone_of(INFRA), ..with(Place::Directory, clone_of(INFRA)) };
    let both: &[&str] = &["add ann/code", "add ann/code-web"];
    let moved: &[&str] = &["repair ann/code-move", "add ann/code-web"];
    let table: Vec<(Facts, &[&str])> = vec![
        (Facts::default(), both),
        (at(Place::Directory), both),
        (at(clone_of(INFRA)), moved),
        (at(clone_of(WEB)), &[OTHER]),
        (at(Place::Link), &["report ann/code: a link: left alone; nor ~/code/web"]),
        (at(pipe()), &["refused ann/code: a pipe: left alone; nor ~/code/web"]),
        (with(Place::Directory, begun(INFRA)), moved),
        (half, moved),
        (own, &["add ann/code-web"]),
    ];
    check(&workspace(&["web"]), table);
}

#[test]
fn each_thing_in_the_place_of_a_repository_has_its_line() {
    const UNSURE: &str = "report ann/code-web: ~/code/infra/web: why: left alone";
    const OTHER: &str =
        "report ann/code-web: ~/code/infra/web is a clone of something else: left alone";
    const TAKEN: &str = "report ann/code-web: a directory that is no clone: left alone";
    let at = |place: Place, nested: Place, tracked: bool| {
        let repos = [("web".to_owned(), Repo { place, nested, tracked })].into();
        Facts { repos, ..with(Place::Directory, clone_of(INFRA)) }
    };
    let inside = |nested: Place, tracked: bool| at(Place::Absent, nested, tracked);
    let table: Vec<(Facts, &[&str])> = vec![
        (at(clone_of(WEB), Place::Absent, false), &[]),
        (at(clone_of(WEB), clone_of(WEB), false), &[]),
        (inside(clone_of(WEB), false), &["repair ann/code-web"]),
        (inside(clone_of(WEB), true), &["add ann/code-web"]),
        (inside(clone_of(INFRA), false), &[OTHER]),
        (inside(Place::Unknown("why".into()), false), &[UNSURE]),
        (at(begun(WEB), Place::Absent, false), &["repair ann/code-web"]),
        (at(Place::Directory, clone_of(WEB), false), &[TAKEN]),
        (at(Place::Link, Place::Absent, false), &["report ann/code-web: a link: left alone"]),
        (at(pipe(), Place::Absent, false), &["refused ann/code-web: a pipe: left alone"]),
    ];
    check(&workspace(&["web"]), table);
}

#[test]
fn a_branch_that_its_remote_has_gets_its_upstream_and_no_other() {
    let single = row("ann.x", Tier::PowerUser);
    let facts = |upstream: bool, tracking: &[&str]| {
        let remotes = ["mine", "canon"].map(|name| {
            let url = if name == "mine" { "https://me.example/fork" } else { INFRA };
            Remote { name: name.into(), url: url.into() }
        });
        let tracking = tracking.iter().map(|&name| name.to_owned()).collect();
        let branch = Some("main".to_owned());
        let clone = Clone { remotes: remotes.into(), branch, upstream, tracking, moving: false };
        Facts { code: Place::Clone(clone), ..Facts::default() }
    };
    assert_eq!(lines(&single, facts(false, &["canon"])), ["add ann/code-upstream"]);
    assert_eq!(lines(&single, facts(false, &["mine"])), [""; 0]);
    assert_eq!(lines(&single, facts(true, &["canon"])), [""; 0]);
}

#[test]
fn a_home_that_is_to_be_made_waits_for_its_account() {
    let changes = plan("ann", &workspace(&["web"]), &Observed::default(), &settings());
    assert_eq!(changes.len(), 2);
    assert!(changes.iter().all(|change| change.needs.contains(&"ann/account".to_owned())));
    assert_eq!(changes[0].after.as_deref(), Some(INFRA));
}

#[test]
fn a_process_without_an_answer_is_a_refusal_and_nothing_is_freshened() {
    let single = row("ann.x", Tier::PowerUser);
    let mut observed = host(Facts::default());
    assert!(freshen("ann", &single, &observed, &settings()).is_some());
    observed.inside.insert("ann".into(), Inside::Unknown("late ".repeat(500)));
    let changes = plan("ann", &single, &observed, &settings());
    assert_eq!(changes[0].verb, Verb::Refuse);
    assert!(changes[0].why.len() < 400);
    assert!(freshen("ann", &single, &observed, &settings()).is_none());
    observed.inside.clear(); // not asked: nothing is known, and nothing said
    assert!(plan("ann", &single, &observed, &settings()).is_empty());
}

#[test]
fn an_admins_code_is_the_admins_own() {
    let admin = Row { tier: Tier::Admin, ..workspace(&["web"]) };
    assert!(look("ann", &admin, &settings()).is_none());
    assert!(plan("ann", &admin, &host(Facts::default()), &settings()).is_empty());
    assert!(freshen("ann", &admin, &host(Facts::default()), &settings()).is_none());
    assert!(look("ann", &workspace(&[]), &Settings::default()).is_none());
}
