//! Secrets that root staged for users: a login at a forge, variables of the agents. They reach whoever has none of
//! their own, and show nowhere else.

use super::{KEPT, Provisioned, THREE};
use crate::support::run::Run;

const LOGIN: &str = "username = \"r.o@x\"
token = \"hunter2+/=\"
name = \"Reader Ro\"
email = \"reader@example.org\"
";

fn user(here: &Provisioned, name: &str, script: &str) -> Run {
    let script = format!("cd /home/{name}; export HOME=/home/{name}; {script}");
    let argv = ["setpriv", "--reuid", name, "--regid", name, "--init-groups", "sh", "-uc"];
    here.host.root(argv.iter().copied().chain([script.as_str()]))
}

/// Everything that a run says and keeps.
fn shown(here: &Provisioned, runs: &[&Run]) -> String {
    let kept =
        here.host.sh(&format!("cat {KEPT}/journal.jsonl {KEPT}/receipts/* {KEPT}/applied/*"));
    let said = runs.iter().map(|run| run.out() + &run.err());
    said.chain([kept]).collect()
}

fn with_logins(test: &str) -> Option<Provisioned> {
    let here = Provisioned::new(test, THREE)?;
    here.provision(&["apply"]).ok();
    here.host.sh(&format!(
        "mkdir -m 700 /etc/logins; umask 077; cat >/etc/logins/reader <<'END'\n{LOGIN}END
         sed 's/hunter2/hunter3/; s/reader@/builder@/' /etc/logins/reader >/etc/logins/builder"
    ));
    here.config("[provision.git]\nforge = 'https://git.example'\ndirectory = '/etc/logins'\n");
    Some(here)
}

#[test]
fn a_staged_login_works_for_its_user_and_follows_the_staged_file() {
    let name = "a_staged_login_works_for_its_user_and_follows_the_staged_file";
    let Some(here) = with_logins(name) else { return };
    here.tool("git", "echo \"$0 $*\" >>/tmp/arguments; real \"$@\"");
    here.host.sh("touch /tmp/arguments; chmod 666 /tmp/arguments");
    let plan = here.provision(&["plan", "--explain"]).ok();
    assert!(plan.out().contains("~/.git-credentials for https://git.example"), "{}", plan.out());
    let run = here.provision(&["apply", "--json"]).ok();
    let arguments = here.host.sh("cat /tmp/arguments");
    assert!(arguments.contains("config --global user.name Reader Ro"), "{arguments}");
    assert!(!arguments.contains("hunter"), "{arguments}");
    assert!(!shown(&here, &[&plan, &run]).contains("hunter"));

    let fill = "printf 'protocol=https\\nhost=git.example\\n\\n' | GIT_TERMINAL_PROMPT=0 git credential fill";
    let filled = user(&here, "reader", fill).ok().out();
    assert!(filled.contains("username=r.o@x\npassword=hunter2+/=\n"), "{filled}");
    let who = "git config user.name; git config user.email; stat -c '%a %U' .git-credentials";
    let wanted = "Reader Ro\nreader@example.org\n600 reader\n";
    assert_eq!(user(&here, "reader", who).ok().out(), wanted);
    // The helper is the forge's alone: no other password is kept.
    user(&here, "reader", "git config --get-urlmatch credential.helper https://other.example")
        .code(1);
    assert_eq!(user(&here, "ops", "ls -A").ok().out(), ".profile\n", "nothing is staged for ops");

    let before = here.files();
    let again = here.provision(&["apply"]).ok();
    assert!(again.out().contains("0 added, 0 repaired"), "{}", again.out());
    assert_eq!(here.files(), before);

    // A new token replaces the one that was staged before, and no other login.
    user(&here, "reader", "echo https://me:mine@other.example >>.git-credentials").ok();
    here.host.sh("sed -i s/hunter2/hunter9/ /etc/logins/reader");
    let run = here.provision(&["apply"]).ok();
    assert!(run.out().contains("0 added, 1 repaired"), "{}", run.out());
    let logins = user(&here, "reader", "cat .git-credentials").ok().out();
    assert_eq!(
        logins,
        "https://me:mine@other.example\nhttps://r.o%40x:hunter9%2B%2F%3D@git.example\n"
    );
    // git takes a login out that was rejected once.
    user(
        &here,
        "reader",
        "sed -i /git.example/d .git-credentials; git config --global --unset user.name",
    )
    .ok();
    let run = here.provision(&["apply"]).ok();
    assert!(run.out().contains("0 added, 1 repaired"), "{}", run.out());
    assert!(run.out().contains("git's user.name") && run.out().contains("a person removed it"));
    assert!(user(&here, "reader", "cat .git-credentials").ok().out().contains("hunter9"));
}

#[test]
fn a_login_of_the_persons_own_stays_whatever_is_staged() {
    let name = "a_login_of_the_persons_own_stays_whatever_is_staged";
    let Some(here) = with_logins(name) else { return };
    user(
        &here,
        "reader",
        "umask 077; printf https://own:mine@git.example >.git-credentials
         git config --global user.name 'My Self'; git config --global credential.helper '!mine'",
    )
    .ok();
    user(&here, "builder", "mkdir -p .config/git; umask 077; echo https://b:mine@Git.Example/x >.config/git/credentials
         ln -s /etc/passwd .git-credentials").ok();
    let config = user(&here, "reader", "cat .git-credentials .gitconfig").ok().out();
    let run = here.provision(&["apply"]);
    let now = user(&here, "reader", "cat .git-credentials .gitconfig").ok().out();
    assert_eq!(now, config.replace("My Self\n", "My Self\n\temail = reader@example.org\n"));
    assert_eq!(user(&here, "builder", "readlink .git-credentials").ok().out(), "/etc/passwd\n");
    assert!(run.out().contains(".git-credentials: a link: not followed"), "{}", run.out());
    user(&here, "builder", "rm .git-credentials").ok();
    let run = here.provision(&["apply"]).ok();
    assert!(run.out().contains("0 added, 0 repaired"), "{}", run.out());
    user(&here, "builder", "test ! -e .git-credentials").ok();
    assert!(!shown(&here, &[&run]).contains("mine"));
}

#[test]
fn a_staged_file_that_cannot_be_used_is_named_and_never_quoted() {
    let name = "a_staged_file_that_cannot_be_used_is_named_and_never_quoted";
    let Some(here) = with_logins(name) else { return };
    for (change, why) in [
        (
            "s/^token.*/token = hunter2/",
            "/etc/logins/reader:2: expected username, token, name and email",
        ),
        ("s/^token.*/tokens = \"hunter2\"/", "/etc/logins/reader:2: expected username"),
        ("s/^token/# token/", "expected username, token, name and email"),
        ("s/hunter2/hunter2 x/", "/etc/logins/reader: token: expected a token alone"),
        ("s/^name.*/name = \"hunter2\\\\n[core]\"/", "/etc/logins/reader: name: expected one line"),
        ("s/^email.*/email = \"hunter2\"/", "/etc/logins/reader: email: expected an address"),
    ] {
        here.host.sh(&format!("sed -i.kept '{change}' /etc/logins/reader"));
        let run = here.provision(&["plan"]).ok();
        assert!(run.out().contains(why), "{change}: {}", run.out());
        assert!(!(run.out() + &run.err()).contains("hunter"), "{}", run.out());
        here.host.sh("mv /etc/logins/reader.kept /etc/logins/reader");
    }
    here.host.sh("chmod 644 /etc/logins/reader");
    let run = here.provision(&["apply"]).ok();
    let why = "/etc/logins/reader: mode 0644: others can read it; make it 0600";
    assert!(run.out().contains(why), "{}", run.out());
    user(&here, "builder", "test -s .git-credentials").ok();
    here.config(
        "[provision.git]\nforge = 'https://hunter2@git.example'\ndirectory = '/etc/logins'\n",
    );
    let run = here.provision(&["plan"]).code(2);
    assert!(run.err().contains("config.toml:2: forge: expected https://HOST"), "{}", run.err());
}

#[test]
fn a_staged_variable_reaches_the_agents_of_users_without_their_own() {
    let name = "a_staged_variable_reaches_the_agents_of_users_without_their_own";
    let Some(here) = Provisioned::new(name, THREE) else { return };
    here.provision(&["apply"]).ok();
    here.host.sh("umask 077; mkdir /etc/npm; echo hunter2-reader >/etc/npm/reader; echo hunter2-all >/etc/all");
    here.config(
        "[[provision.secrets]]\nvariable = 'NPM_TOKEN'\ndirectory = '/etc/npm'\n\
         [[provision.secrets]]\nvariable = 'SITE_KEY'\nfile = '/etc/all'\n",
    );
    let own = "# mine\nA=1\nSITE_KEY='own'\n";
    user(&here, "builder", &format!("umask 077; mkdir -p .config/terminal-lobby; printf \"{own}\" >.config/terminal-lobby/agent.env")).ok();
    let plan = here.provision(&["plan"]).ok();
    let run = here.provision(&["apply"]).ok();
    let file =
        "cat .config/terminal-lobby/agent.env; stat -c '%a %U' .config/terminal-lobby/agent.env";
    let wanted = "NPM_TOKEN=hunter2-reader\nSITE_KEY=hunter2-all\n600 reader\n";
    assert_eq!(user(&here, "reader", file).ok().out(), wanted);
    assert_eq!(user(&here, "ops", file).ok().out(), "SITE_KEY=hunter2-all\n600 ops\n");
    assert_eq!(user(&here, "builder", file).ok().out(), format!("{own}600 builder\n"));
    assert!(!shown(&here, &[&plan, &run]).contains("hunter"));
    let before = here.files();
    let run = here.provision(&["apply"]).ok();
    assert!(run.out().contains("0 added, 0 repaired"), "{}", run.out());
    assert_eq!(here.files(), before);

    here.host.sh("echo hunter2-new >/etc/all");
    user(&here, "ops", "echo SITE_KEY=mine >.config/terminal-lobby/agent.env").ok();
    let run = here.provision(&["apply"]).ok();
    assert!(run.out().contains("0 added, 1 repaired"), "{}", run.out());
    let text = user(&here, "reader", file).ok().out();
    assert_eq!(text, "NPM_TOKEN=hunter2-reader\nSITE_KEY=hunter2-new\n600 reader\n");
    assert_eq!(user(&here, "ops", file).ok().out(), "SITE_KEY=mine\n600 ops\n");

    // What others can read, and what leads elsewhere, gets no secret.
    user(&here, "builder", "printf 'A=1\\n' >.config/terminal-lobby/agent.env; chmod 644 .config/terminal-lobby/agent.env").ok();
    user(&here, "reader", "rm -r .config; ln -s /tmp .config").ok();
    let run = here.provision(&["apply"]);
    assert!(run.out().contains("mode 0644: others can read it"), "{}", run.out());
    assert_eq!(user(&here, "builder", file).ok().out(), "A=1\n644 builder\n");
    assert_eq!(here.host.sh("ls -A /tmp"), "");
    here.config("[[provision.secrets]]\nvariable = 'LD_PRELOAD'\nfile = '/etc/all'\n");
    let run = here.provision(&["plan"]).code(2);
    assert!(
        run.err().contains("config.toml:1: variable 'LD_PRELOAD' is no secret"),
        "{}",
        run.err()
    );
}
