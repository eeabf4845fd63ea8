//! What a site has in homes that exist: links to shared rules, the mirror of the managed settings' text,
//! closed trees; and older units and processes that are named.

use super::{KEPT, Provisioned, THREE};

const SITE: &str = "[provision]
name_old_units = true
closed_trees = [{user = 'ops', path = 'infra', group = 'code-shared'}]
[provision.agents]
managed_settings = '/srv/policy/managed-settings.json'
hook = false
mirror_claude_md = true
shared = '/srv/policy/claude'
";

/// A host on which the users and their homes were made before the site had any of it.
fn host(test: &str) -> Option<Provisioned> {
    let here = Provisioned::new(test, THREE)?;
    here.provision(&["apply"]).ok();
    here.config(SITE);
    here.host.sh("mount -t tmpfs -o mode=755 srv /srv; mkdir -p /srv/policy/claude; cd /srv/policy
         echo '{\"model\": \"opus\", \"claudeMd\": \"Be kind.\"}' >managed-settings.json
         cd claude; mkdir -p rules/personal skills/deploy agents
         echo shared | tee rules/style.md rules/git.md skills/deploy/SKILL.md agents/reviewer.md");
    Some(here)
}

/// Runs a script as a user, in the home.
fn of(here: &Provisioned, user: &str, script: &str) -> String {
    here.host.sh(&format!(
        "cd /home/{user}; setpriv --reuid {user} --regid {user} --init-groups \\
         env HOME=/home/{user} sh -c '{script}'"
    ))
}

#[test]
fn shared_rules_reach_homes_that_exist_and_never_replace_a_persons() {
    let name = "shared_rules_reach_homes_that_exist_and_never_replace_a_persons";
    let Some(here) = host(name) else { return };
    of(
        &here,
        "reader",
        "mkdir -p .claude/rules/personal .claude/skills; echo mine >.claude/rules/style.md
         echo own >.claude/rules/personal/a.md; ln -s /srv/other .claude/skills/deploy",
    );
    // A directory that is a link, a fifo, and somewhere else's file leave the others' links alone.
    of(
        &here,
        "builder",
        "mkdir -p .claude other; ln -s ../other .claude/rules; mkfifo .claude/skills",
    );
    let plan = here.provision(&["plan", "--explain"]).ok().out();
    assert!(plan.contains("+ rules/git.md") && !plan.contains("personal"), "{plan}");
    here.provision(&["apply"]);
    let links = "cd .claude; find rules skills agents -type l -printf \"%p %l %u\\n\" | sort";
    let base = "/srv/policy/claude";
    let git = |user: &str| format!("rules/git.md {base}/rules/git.md {user}\n");
    let agent = |user: &str| format!("agents/reviewer.md {base}/agents/reviewer.md {user}\n");
    let rest = |user: &str| {
        format!(
            "rules/style.md {base}/rules/style.md {user}\nskills/deploy {base}/skills/deploy {user}\n"
        )
    };
    assert_eq!(of(&here, "ops", links), agent("ops") + &git("ops") + &rest("ops"));
    let reader = agent("reader") + &git("reader") + "skills/deploy /srv/other reader\n";
    assert_eq!(of(&here, "reader", links), reader);
    assert_eq!(of(&here, "reader", "cat .claude/rules/style.md .claude/rules/*/*"), "mine\nown\n");
    assert_eq!(of(&here, "builder", "ls other; ls .claude/agents"), "reviewer.md\n");
    let plan = here.provision(&["plan"]).out();
    assert!(
        plan.contains("shared rules in ~/.claude") && plan.contains("a link: not followed"),
        "{plan}"
    );
    // A source that goes takes its links along, and no file of a person's.
    here.host.sh("rm -r /srv/policy/claude/rules/* /srv/policy/claude/skills/deploy");
    here.provision(&["apply"]);
    assert_eq!(of(&here, "ops", links), agent("ops"));
    assert_eq!(of(&here, "reader", links), agent("reader") + "skills/deploy /srv/other reader\n");
    assert_eq!(of(&here, "reader", "cat .claude/rules/style.md .claude/rules/*/*"), "mine\nown\n");
    // If all of the base is gone (not mounted), nothing is removed.
    here.host.sh("mv /srv/policy/claude /srv/policy/aside");
    let run = here.provision(&["apply"]);
    assert!(run.out().contains("linked for no users"), "{}", run.out());
    assert_eq!(of(&here, "ops", links), agent("ops"));
}

#[test]
fn files_for_zsh_reach_homes_that_exist_and_never_replace_a_persons() {
    let name = "files_for_zsh_reach_homes_that_exist_and_never_replace_a_persons";
    let Some(here) = host(name) else { return };
    here.provision(&["apply"]).ok();
    here.host.sh("cd /srv/policy/claude; mkdir zshrc.d; echo 'export VAULT_ADDR=x' >zshrc.d/vault.sh
        echo 'alias k=kubectl' >zshrc.d/k.zsh; echo no >zshrc.d/notes.txt; echo no >zshrc.d/.hidden.zsh");
    of(&here, "reader", "mkdir .zshrc.d; echo mine >.zshrc.d/vault.sh; echo own >.zshrc.d/own.zsh");
    of(&here, "builder", "mkdir other; ln -s other .zshrc.d");
    let plan = here.provision(&["plan", "--explain"]).ok().out();
    assert!(plan.contains("+ zshrc.d/k.zsh") && !plan.contains("notes"), "{plan}");
    assert!(plan.contains("shared zshrc.d in ~/.zshrc.d"), "{plan}");
    here.provision(&["apply"]);
    let found = "cd .zshrc.d; find . -mindepth 1 -printf \"%p %l\\n\" | sort";
    let base = "/srv/policy/claude/zshrc.d";
    let both = format!("./k.zsh {base}/k.zsh\n./vault.sh {base}/vault.sh\n");
    assert_eq!(of(&here, "ops", found), both);
    let mixed = format!("./k.zsh {base}/k.zsh\n./own.zsh \n./vault.sh \n");
    assert_eq!(of(&here, "reader", found), mixed);
    assert_eq!(
        here.host.sh("cat /home/reader/.zshrc.d/vault.sh; ls -A /home/builder/other"),
        "mine\n"
    );
    let homes = || here.host.sh("find /home -printf '%p %i %C@ %l\\n' | sort");
    let before = homes();
    here.provision(&["apply"]);
    assert_eq!(homes(), before);
    here.host.sh("rm -r /srv/policy/claude/zshrc.d");
    here.provision(&["apply"]);
    assert_eq!(of(&here, "ops", found), "");
    assert_eq!(of(&here, "reader", found), "./own.zsh \n./vault.sh \n");
}

#[test]
fn one_text_of_the_managed_settings_is_mirrored_and_a_persons_file_stays() {
    let name = "one_text_of_the_managed_settings_is_mirrored_and_a_persons_file_stays";
    let Some(here) = host(name) else { return };
    of(&here, "reader", "mkdir .codex; echo mine >.codex/AGENTS.md");
    here.provision(&["apply"]).ok();
    let mirror = of(&here, "ops", "cat .codex/AGENTS.md");
    assert!(
        mirror.starts_with("<!-- terminal-lobby: generated, ")
            && mirror.ends_with("-->\nBe kind.\n")
    );
    assert_eq!(of(&here, "reader", "cat .codex/AGENTS.md"), "mine\n");
    assert!(here.host.sh("cat /etc/claude-code/managed-settings.json").contains("Be kind."));
    let plan = here.provision(&["plan"]).ok().out();
    assert!(plan.contains("without the line that marks it as generated"), "{plan}");
    here.host.sh(
        "printf '%s' '{\"claudeMd\": \"Be brief.\\nBe kind.\\n\"}' >/srv/policy/managed-settings.json",
    );
    here.provision(&["apply"]).ok();
    assert!(of(&here, "ops", "cat .codex/AGENTS.md").ends_with("-->\nBe brief.\nBe kind.\n"));
    // Without the header it is a person's from now on.
    of(&here, "ops", "echo own >.codex/AGENTS.md");
    here.provision(&["apply"]);
    assert_eq!(of(&here, "ops", "cat .codex/AGENTS.md"), "own\n");
    // Settings without the text change no mirror.
    for settings in ["{}", "{\"claudeMd\": 7}", "{\"claudeMd\": \" \"}"] {
        here.host.sh(&format!("echo '{settings}' >/srv/policy/managed-settings.json"));
        let plan = here.provision(&["plan"]).out();
        assert!(
            plan.contains("~/.codex/AGENTS.md of all users") && plan.contains("claudeMd"),
            "{plan}"
        );
    }
    here.provision(&["apply"]);
    assert!(of(&here, "builder", "cat .codex/AGENTS.md").contains("Be brief."));
    here.config(&format!("{SITE}instructions = '/srv/x'\n"));
    let run = here.provision(&["plan"]).code(2);
    assert!(
        run.err().contains("provision.agents.mirror_claude_md: contradicts instructions"),
        "{}",
        run.err()
    );
}

/// As Codex does it: a new file of the renewing user's, renamed to the link's target.
const RENEW: &str = "f=$(readlink .codex/auth.json); d=$(dirname $f); umask 077; exec 9>>$f.lock
    echo $1 >$d/.new; mv $d/.new $f";

#[test]
fn a_login_that_one_member_renews_is_there_for_all_and_a_link_in_its_place_leads_nowhere() {
    let name =
        "a_login_that_one_member_renews_is_there_for_all_and_a_link_in_its_place_leads_nowhere";
    let Some(here) = host(name) else { return };
    let host = &here.host;
    here.config(
        "[provision.agents]\ncodex_login = {file = '/etc/terminal-lobby/codex.json', \
         directory = '/srv/codex-login', group = 'codex'}\n",
    );
    host.sh("umask 077; echo '{\"key\": \"hunter2\"}' >/etc/terminal-lobby/codex.json");
    host.group("codex", 700, &["ops", "reader"]);
    of(&here, "reader", "mkdir .codex; echo own >.codex/auth.json");
    let plan = here.provision(&["plan", "--json"]).ok().out();
    here.provision(&["apply"]).ok();
    assert_eq!(of(&here, "ops", "cat .codex/auth.json"), "{\"key\": \"hunter2\"}\n");
    assert_eq!(of(&here, "reader", "cat .codex/auth.json"), "own\n");
    host.sh("test ! -e /home/builder/.codex");
    let state = || host.sh("cd /srv/codex-login; stat -c '%n %a %G' . *");
    let shared = ". 2770 codex\nauth.json 660 codex\nauth.json.lock 660 codex\n";
    assert_eq!(state(), shared);
    here.provision(&["plan", "--detailed-exitcode"]).ok();
    let record = host.sh(&format!("cat {KEPT}/journal.jsonl {KEPT}/receipts/* {KEPT}/applied/*"));
    assert!(!plan.contains("hunter2") && !record.contains("hunter2"));
    // One renews it; the next one, too.
    of(&here, "reader", "rm .codex/auth.json");
    here.provision(&["apply"]).ok();
    for (user, other) in [("ops", "reader"), ("reader", "ops")] {
        of(&here, user, &RENEW.replace("$1", user));
        assert_eq!(of(&here, other, "cat .codex/auth.json || echo closed"), "closed\n");
        here.provision(&["codex-login"]).ok();
        assert_eq!(state(), shared);
        assert_eq!(of(&here, other, "cat .codex/auth.json"), format!("{user}\n"));
    }
    // Each apply does the same, and does not put the staged one back.
    of(&here, "ops", &RENEW.replace("$1", "again"));
    here.provision(&["apply"]).ok();
    assert_eq!(of(&here, "reader", "cat .codex/auth.json"), "again\n");
    host.sh("echo '{\"key\": \"hunter3\"}' >/etc/terminal-lobby/codex.json");
    here.provision(&["apply"]).ok();
    assert!(of(&here, "reader", "cat .codex/auth.json").contains("hunter3"));
    // Whatever a member puts there: root changes nothing else.
    host.sh("mkdir -m 755 /srv/victim; echo x >/srv/victim/file; chmod 600 /srv/victim/file");
    for trap in ["ln -s /srv/victim/file auth.json", "mkfifo auth.json", "mkdir auth.json"] {
        of(&here, "ops", &format!("cd /srv/codex-login; rm -rf auth.json; {trap}"));
        here.provision(&["codex-login"]).code(1);
        here.provision(&["apply"]);
        assert_eq!(host.sh("stat -c '%a %G' /srv/victim/file"), "600 root\n", "{trap}");
    }
}

#[test]
fn a_decrypted_tree_in_a_home_is_closed_by_its_owner_and_older_units_are_named() {
    let name = "a_decrypted_tree_in_a_home_is_closed_by_its_owner_and_older_units_are_named";
    let Some(here) = host(name) else { return };
    of(
        &here,
        "ops",
        "mkdir -m 2755 infra; mkdir -p .config/systemd/user; cd .config/systemd/user
         echo ExecStart=/usr/bin/t3 --port 3775 >old-t3.service; mkfifo fifo.service
         ln -s /etc/shadow link.service; truncate -s 1G huge.service; echo x >plain.service",
    );
    let plan = here.provision(&["plan", "--json"]).ok().out();
    for wanted in [
        "~/.config/systemd/user/old-t3.service",
        "systemctl --user --machine=ops@ disable --now old-t3.service",
        "names port 3775 (t3-serve@",
        "not a regular file",
        "larger than 65536 bytes",
    ] {
        assert!(plan.contains(wanted), "{wanted}: {plan}");
    }
    here.provision(&["apply"]).ok();
    let top = "stat -c \"%a %U %G\" infra";
    assert_eq!(of(&here, "ops", top), "2750 ops code-shared\n");
    of(&here, "ops", "chmod 777 infra");
    here.provision(&["apply"]).ok();
    assert_eq!(of(&here, "ops", top), "2770 ops code-shared\n");
    // What a link leads to is left as it is.
    of(&here, "ops", "chmod 755 infra; mv infra real; ln -s real infra");
    let run = here.provision(&["apply"]);
    assert!(run.out().contains("a link: not followed"), "{}", run.out());
    assert_eq!(of(&here, "ops", "stat -c %a real"), "2755\n");
    let record = here.host.sh(&format!("cat {KEPT}/journal.jsonl"));
    assert!(record.contains("closed-tree/infra"), "{record}");
}
