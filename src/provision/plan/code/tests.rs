use super::*;
use crate::provision::observe::observed::Account;
use crate::provision::protocol::HomeFacts;
use crate::provision::protocol::code::Remote;
use crate::roster::Tier;
use crate::roster::tests::row;

const INFRA: &str = "https://git.example/infra.git";

fn settings() -> Settings {
    let text =
        format!("infra_remote = '{INFRA}'\nrepo_remote = 'https://git.example/{{repo}}.git'");
    toml::from_str(&text).unwrap()
}

fn host(facts: CodeFacts) -> Observed {
    let mut observed = Observed::default();
    let (home, shell) = ("/home/ann".to_owned(), "/bin/sh".to_owned());
    let account = Account { uid: 1001, gid: 1001, home, shell, local: true };
    observed.accounts.insert("ann".into(), account);
    let facts = HomeFacts { code: Some(facts), ..Default::default() };
    observed.home_reports.insert("ann".into(), HomeReport::Facts(Box::new(facts)));
    observed
}

fn workspace(repos: &[&str]) -> Row {
    let repos = repos.iter().map(|&name| name.to_owned()).collect();
    Row { code_layout: Layout::Workspace, repos, ..row("ann.x", Tier::PowerUser) }
}

fn clone_of(url: &str) -> PathState {
    let remotes = vec![Remote { name: "origin".into(), url: url.into() }];
    PathState::Clone(CloneFacts { remotes, ..CloneFacts::default() })
}

fn lines(row: &Row, facts: CodeFacts) -> Vec<String> {
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
fn begun(url: &str) -> PathState {
    let PathState::Clone(clone) = clone_of(url) else { unreachable!() };
    PathState::Clone(CloneFacts { moving: true, ..clone })
}

fn with(code: PathState, infra: PathState) -> CodeFacts {
    CodeFacts { code, infra, ..CodeFacts::default() }
}

fn pipe() -> PathState {
    PathState::Other("a pipe".into())
}

#[track_caller]
fn check(row: &Row, table: Vec<(CodeFacts, &[&str])>) {
    for (facts, expected) in table {
        assert_eq!(lines(row, facts.clone()), expected, "{facts:#?}");
    }
}

#[test]
fn each_thing_in_the_place_of_a_single_clone_has_its_line() {
    const OTHER: &str = "report ann/code-remote: a clone of another repository: left as it is";
    let at = |code: PathState| with(code, PathState::Absent);
    let left = CodeFacts { unfinished_clones: vec![CloneLocation::Code], ..at(clone_of(INFRA)) };
    let half = CodeFacts { unfinished_move: begun(INFRA), ..CodeFacts::default() };
    let table: Vec<(CodeFacts, &[&str])> = vec![
        (CodeFacts::default(), &["add ann/code"]),
        (at(clone_of(INFRA)), &[]),
        (at(clone_of("git@git.example:infra")), &[]),
        (at(clone_of(WEB)), &[OTHER]),
        (at(PathState::Clone(CloneFacts::default())), &["add ann/code-remote"]),
        (
            at(PathState::Directory),
            &["report ann/code: a directory that is not a clone: left as it is"],
        ),
        (at(PathState::Link), &["report ann/code: a link: left as it is"]),
        (at(pipe()), &["refused ann/code: a pipe: left as it is"]),
        (at(PathState::Unknown("why".into())), &["refused ann/code: why: left as it is"]),
        (left, &["repair ann/code-tidy-code"]),
        (half, &["repair ann/code-move"]),
    ];
    check(&row("ann.x", Tier::PowerUser), table);
}

#[test]
fn each_thing_in_the_place_of_a_workspace_has_its_line() {
    const OTHER: &str = "report ann/code: a clone of another repository: left as it is; not done either: ~/code/web";
    let at = |code: PathState| with(code, PathState::Absent);
    let half = CodeFacts { unfinished_move: begun(INFRA), ..at(PathState::Directory) };
    // A user's own directory under the name that a move uses.
    let own = CodeFacts {
        unfinished_move: clone_of(INFRA),
        ..with(PathState::Directory, clone_of(INFRA))
    };
    let both: &[&str] = &["add ann/code", "add ann/code-web"];
    let moved: &[&str] = &["repair ann/code-move", "add ann/code-web"];
    let table: Vec<(CodeFacts, &[&str])> = vec![
        (CodeFacts::default(), both),
        (at(PathState::Directory), both),
        (at(clone_of(INFRA)), moved),
        (at(clone_of(WEB)), &[OTHER]),
        (
            at(PathState::Link),
            &["report ann/code: a link: left as it is; not done either: ~/code/web"],
        ),
        (at(pipe()), &["refused ann/code: a pipe: left as it is; not done either: ~/code/web"]),
        (with(PathState::Directory, begun(INFRA)), moved),
        (half, moved),
        (own, &["add ann/code-web"]),
    ];
    check(&workspace(&["web"]), table);
}

#[test]
fn each_thing_in_the_place_of_a_repository_has_its_line() {
    const UNSURE: &str = "report ann/code-web: ~/code/infra/web: why: left as it is";
    const OTHER: &str =
        "report ann/code-web: ~/code/infra/web is a clone of another repository: left as it is";
    const TAKEN: &str = "report ann/code-web: a directory that is not a clone: left as it is";
    let at = |own: PathState, nested: PathState, tracked: bool| {
        let repos = [("web".to_owned(), RepoFacts { own, nested, tracked })].into();
        CodeFacts { repos, ..with(PathState::Directory, clone_of(INFRA)) }
    };
    let inside = |nested: PathState, tracked: bool| at(PathState::Absent, nested, tracked);
    let table: Vec<(CodeFacts, &[&str])> = vec![
        (at(clone_of(WEB), PathState::Absent, false), &[]),
        (at(clone_of(WEB), clone_of(WEB), false), &[]),
        (inside(clone_of(WEB), false), &["repair ann/code-web"]),
        (inside(clone_of(WEB), true), &["add ann/code-web"]),
        (inside(clone_of(INFRA), false), &[OTHER]),
        (inside(PathState::Unknown("why".into()), false), &[UNSURE]),
        (at(begun(WEB), PathState::Absent, false), &["repair ann/code-web"]),
        (at(PathState::Directory, clone_of(WEB), false), &[TAKEN]),
        (
            at(PathState::Link, PathState::Absent, false),
            &["report ann/code-web: a link: left as it is"],
        ),
        (at(pipe(), PathState::Absent, false), &["refused ann/code-web: a pipe: left as it is"]),
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
        let clone = CloneFacts {
            remotes: remotes.into(),
            branch,
            upstream,
            tracking,
            ..CloneFacts::default()
        };
        CodeFacts { code: PathState::Clone(clone), ..CodeFacts::default() }
    };
    assert_eq!(lines(&single, facts(false, &["canon"])), ["add ann/code-upstream"]);
    assert_eq!(lines(&single, facts(false, &["mine"])), [""; 0]);
    assert_eq!(lines(&single, facts(true, &["canon"])), [""; 0]);
}

#[test]
fn a_home_that_is_to_be_made_waits_for_its_account() {
    let changes = plan("ann", &workspace(&["web"]), &Observed::default(), &settings());
    assert_eq!(changes.len(), 2);
    assert!(changes.iter().all(|change| change.scope.needs.contains(&"ann/account".to_owned())));
    assert_eq!(changes[0].after.as_deref(), Some(INFRA));
}

#[test]
fn a_process_without_an_answer_is_a_refusal_and_nothing_is_freshened() {
    let single = row("ann.x", Tier::PowerUser);
    let mut observed = host(CodeFacts::default());
    assert!(freshen("ann", &single, &observed, &settings()).is_some());
    observed.home_reports.insert("ann".into(), HomeReport::Unknown("late ".repeat(500)));
    let changes = plan("ann", &single, &observed, &settings());
    assert_eq!(changes[0].verb, Verb::Refuse);
    assert!(changes[0].why.len() < 400);
    assert!(freshen("ann", &single, &observed, &settings()).is_none());
    observed.home_reports.clear(); // not inspected: nothing is known, and nothing planned
    assert!(plan("ann", &single, &observed, &settings()).is_empty());
}

#[test]
fn an_admins_code_is_the_admins_own() {
    let admin = Row { tier: Tier::Admin, ..workspace(&["web"]) };
    assert!(CodeQuery::new(&admin, &settings()).is_none());
    assert!(plan("ann", &admin, &host(CodeFacts::default()), &settings()).is_empty());
    assert!(freshen("ann", &admin, &host(CodeFacts::default()), &settings()).is_none());
    assert!(CodeQuery::new(&workspace(&[]), &Settings::default()).is_none());
}
