//! The browser tool's snapshot: its token reaches the home, and what is fetched with it replaces the old
//! snapshot only if it is one.

use super::{KEPT, Provisioned, THREE};
use crate::support::http::{Reply, Server};
use crate::support::run::Run;
use std::sync::{Arc, Mutex};

const GOOD: &str = r#"{"cookies": [{"name": "a"}], "origins": []}"#;

fn reader(here: &Provisioned, script: &str) -> Run {
    let script = format!("cd /home/reader; export HOME=/home/reader; {script}");
    let argv = ["setpriv", "--reuid", "reader", "--regid", "reader", "--init-groups", "sh", "-uc"];
    here.host.root(argv.iter().copied().chain([script.as_str()]))
}

#[test]
fn a_snapshot_is_fetched_with_the_staged_token_and_only_a_snapshot_replaces_it() {
    let name = "a_snapshot_is_fetched_with_the_staged_token_and_only_a_snapshot_replaces_it";
    let Some(here) = Provisioned::new(name, THREE) else { return };
    let next = Arc::new(Mutex::new((200, GOOD.to_owned())));
    let answers = Arc::clone(&next);
    let server = Server::new(move |path| {
        if path == "/endless" {
            return Reply::Endless;
        }
        let (status, body) = answers.lock().unwrap().clone();
        Reply::Body(status, body)
    });
    let site = |path: &str| {
        here.config(&format!(
            "[provision.browser]\nsnapshot_url = '{}/{path}'\nsnapshot_token_dir = '/etc/tokens'\n",
            server.url()
        ));
    };
    site("state");
    here.host.sh("mkdir -m 700 /etc/tokens; umask 077
         echo hunter2-reader >/etc/tokens/reader; echo 'no token' >/etc/tokens/builder");
    let plan = here.provision(&["plan", "--json"]).ok().out();
    let run = here.provision(&["apply"]);
    assert!(run.out().contains("not one word"), "{}", run.out());
    let token = "stat -c '%a %U' .config/playwright/token; cat .config/playwright/token";
    assert_eq!(reader(&here, token).ok().out(), "600 reader\nhunter2-reader\n");
    here.host.sh("test ! -e /home/builder/.config -a ! -e /home/ops/.config");
    let record =
        here.host.sh(&format!("cat {KEPT}/journal.jsonl {KEPT}/receipts/* {KEPT}/applied/*"));
    assert!(![plan, run.out(), record].iter().any(|text| text.contains("hunter2")));

    let refresh = "/opt/tl/provision browser-refresh";
    let state = "cat .cache/playwright-shared-storage-state.json";
    reader(&here, refresh).ok();
    assert!(
        server.requests()[0].to_lowercase().contains("authorization: bearer hunter2-reader\r\n")
    );
    let mode = reader(&here, "stat -c %a .cache/playwright-shared-storage-state.json").ok().out();
    assert_eq!((reader(&here, state).out().as_str(), mode.as_str()), (GOOD, "600\n"));
    for (status, body) in [
        (500, GOOD),
        (204, ""),
        (302, GOOD),
        (401, "{}"),
        (200, ""),
        (200, "<html>"),
        (200, "{\"cookies\": []}"),
        (200, "{\"cookies\": 1, \"origins\": 2}"),
    ] {
        *next.lock().unwrap() = (status, body.to_owned());
        let run = reader(&here, refresh).code(1);
        assert!(run.err().contains("left as it was"), "{status} {body}: {}", run.err());
        assert!(!run.err().contains("hunter2"), "{}", run.err());
        assert_eq!(reader(&here, state).out(), GOOD, "{status} {body}");
    }
    site("endless");
    reader(&here, refresh).code(1);
    assert_eq!(reader(&here, state).out(), GOOD);

    // A link in the file's place is replaced and not followed; one in the directory's place is refused.
    site("state");
    *next.lock().unwrap() = (200, GOOD.to_owned());
    reader(
        &here,
        &format!("cd .cache; echo mine >../aside; ln -sf ../aside *.json; cd; {refresh}"),
    )
    .ok();
    assert_eq!(reader(&here, &format!("cat aside; {state}")).out(), format!("mine\n{GOOD}"));
    let run = reader(&here, &format!("mv .cache real; ln -s real .cache; {refresh}")).code(1);
    assert!(run.err().contains("a link: not followed"), "{}", run.err());
    // A token that others can read is not used, nor one behind a link.
    let run = reader(
        &here,
        &format!("rm .cache; mv real .cache; chmod 644 .config/playwright/token; {refresh}"),
    );
    assert!(run.code(1).err().contains("others can read it"));
    let swap = "cd .config/playwright; mv token real; ln -s real token; cd";
    assert!(
        reader(&here, &format!("{swap}; {refresh}")).code(1).err().contains("a link: not followed")
    );
    // The user's own token stays when root's changes; without one there is nothing to refresh.
    reader(&here, "cd .config/playwright; rm *; echo mine >token; chmod 600 token").ok();
    here.host.sh("echo hunter3 >/etc/tokens/reader");
    here.provision(&["apply"]);
    assert_eq!(reader(&here, token).ok().out(), "600 reader\nmine\n");
    let run = reader(&here, &format!("rm .config/playwright/token; {refresh}")).ok();
    assert!(run.err().contains("nothing to refresh"), "{}", run.err());
}
