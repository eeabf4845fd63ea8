//! Agents' configuration, tokens and the browser tool, applied on a throw-away host.

use super::{KEPT, Provisioned, THREE};

const SITE: &str = "[provision.agents]
managed_settings = '/srv/policy/managed-settings.json'
hook = true
instructions = '/srv/policy/CLAUDE.md'
token_file = '/etc/terminal-lobby/agent.token'
skel = [
  {path = '.tmux.conf', source = '/srv/policy/tmux.conf'},
  {path = '.claude/CLAUDE.md', link = '/srv/policy/CLAUDE.md'},
]
[provision.cluster]
kubeconfig = '/srv/policy/admin.yaml'
issuer = 'https://id.example.org/'
client_id = 'k8s'
[provision.browser]
agent = '/usr/local/bin/claude'
";
/// Notes its arguments, and does with its own file what the real one does.
const STUB_AGENT: &str = "#!/usr/bin/python3
import json, os, sys
file = os.path.expanduser('~/.claude.json')
state = json.load(open(file)) if os.path.exists(file) else {}
servers = state.setdefault('mcpServers', {})
open(os.path.expanduser('~/argv'), 'a').write(' '.join(sys.argv[1:]) + '\\n')
if sys.argv[1:3] == ['mcp', 'get']:
    if sys.argv[3] not in servers:
        sys.exit('No MCP server named ' + sys.argv[3])
    sys.exit(0)
servers['playwright'] = {'type': 'http', 'url': sys.argv[sys.argv.index('playwright') + 1]}
json.dump(state, open(file, 'w'))
";

fn host(test: &str) -> Option<Provisioned> {
    let here = Provisioned::new(test, THREE)?;
    here.config(SITE);
    here.host.sh(
        "mount -t tmpfs -o mode=755 srv /srv; mkdir /srv/policy /usr/local/bin; cd /srv/policy
         echo '{\"permissions\": {\"deny\": [\"WebFetch\"]}}' >managed-settings.json
         echo 'Be kind.' >CLAUDE.md; echo 'set -g mouse on' >tmux.conf
         echo 'clusters: [{name: a, cluster: {server: \"https://k:6443\"}}]' >admin.yaml
         umask 077; echo sk-shared-hunter2 >/etc/terminal-lobby/agent.token",
    );
    here.host.sh(&format!(
        "cat >/usr/local/bin/claude <<'END'\n{STUB_AGENT}END\nchmod 755 /usr/local/bin/claude
         cp /opt/tl/persist /usr/local/bin/persist"
    ));
    Some(here)
}

#[test]
fn all_that_a_site_asks_for_is_made_once_and_is_secret_where_it_must_be() {
    let name = "all_that_a_site_asks_for_is_made_once_and_is_secret_where_it_must_be";
    let Some(here) = host(name) else { return };
    let host = &here.host;
    let plan = here.provision(&["plan", "--json"]).ok().out();
    let run = here.provision(&["apply"]).ok();
    assert!(run.out().ends_with("0 refused, 0 failed.\n"), "{}", run.out());
    assert!(host.sh("cat /etc/claude-code/managed-settings.json").contains("WebFetch"));
    host.sh("ls /etc/claude-code/managed-settings.d/*.json");
    // What new homes are made from was there before them.
    for user in ["ops", "reader", "builder"] {
        let home = host.sh(&format!(
            "cd /home/{user}; cat .tmux.conf; readlink .claude/CLAUDE.md; stat -c '%a %U' .kube/config
             grep -c kind .codex/AGENTS.md; stat -c '%U' .claude .claude/CLAUDE.md"
        ));
        let wanted =
            format!("set -g mouse on\n/srv/policy/CLAUDE.md\n600 {user}\n1\n{user}\n{user}\n");
        assert_eq!(home, wanted);
        let get = |file: &str, key: &str| {
            host.sh(&format!("sed -n 's/^{key}=//p' /etc/t3-serve/{file}")).trim().to_owned()
        };
        let (service, tool) = (format!("{user}.env"), format!("playwright-{user}.env"));
        assert_eq!(get(&service, "CLAUDE_CODE_OAUTH_TOKEN"), "sk-shared-hunter2");
        let token = get(&tool, "PLAYWRIGHT_MCP_TOKEN");
        assert!(token.len() == 64 && token == get(&service, "PLAYWRIGHT_MCP_TOKEN"), "{token}");
        let argv = host.sh(&format!("cat /home/{user}/argv"));
        assert!(argv.starts_with("mcp get playwright\nmcp add"), "{argv}");
        // No secret is in an argument, a plan, a receipt or the journal.
        let told = host.sh(&format!("cat {KEPT}/journal.jsonl {KEPT}/receipts/* {KEPT}/applied/*"));
        for secret in ["hunter2", token.as_str()] {
            let said = [&argv, &told, &plan, &run.out(), &run.err()];
            assert!(said.iter().all(|text| !text.contains(secret)), "{secret}");
        }
    }
    let before = here.files();
    here.provision(&["apply"]).ok();
    assert_eq!(here.files(), before, "a run with nothing to do wrote something");
    here.provision(&["plan", "--detailed-exitcode"]).ok();
}

#[test]
fn what_changes_at_its_source_is_deployed_and_what_a_person_changed_is_not_overwritten() {
    let name =
        "what_changes_at_its_source_is_deployed_and_what_a_person_changed_is_not_overwritten";
    let Some(here) = host(name) else { return };
    let host = &here.host;
    here.provision(&["apply"]).ok();
    host.sh("echo '{\"permissions\": {\"deny\": [\"Bash\"]}}' >/srv/policy/managed-settings.json
             echo 'Be brief.' >/srv/policy/CLAUDE.md");
    here.provision(&["apply"]).ok();
    assert!(host.sh("cat /etc/claude-code/managed-settings.json").contains("Bash"));
    assert!(host.sh("cat /home/ops/.codex/AGENTS.md").contains("Be brief."));
    // A broken one would enforce nothing: the old one stays, and it is said.
    host.sh("echo '{' >/srv/policy/managed-settings.json");
    let run = here.provision(&["apply"]);
    assert!(run.out().contains("refused") && !run.out().contains(" 0 refused"), "{}", run.out());
    assert!(host.sh("cat /etc/claude-code/managed-settings.json").contains("Bash"));
    // A person's edit, of a deployed file and of a token.
    host.sh("echo '{\"permissions\": {\"deny\": [\"Read\"]}}' >/srv/policy/managed-settings.json
             echo '{\"mine\": 1}' >/etc/claude-code/managed-settings.json
             sed -i 's/^CLAUDE_CODE_OAUTH_TOKEN=.*/CLAUDE_CODE_OAUTH_TOKEN=own/' /etc/t3-serve/ops.env
             echo 'set -g mouse off' >/etc/skel/.tmux.conf");
    let edited = host.sh(
        "cat /etc/claude-code/managed-settings.json /etc/t3-serve/ops.env /etc/skel/.tmux.conf",
    );
    here.provision(&["apply"]);
    let now = host.sh(
        "cat /etc/claude-code/managed-settings.json /etc/t3-serve/ops.env /etc/skel/.tmux.conf",
    );
    assert_eq!(now, edited);
}

#[test]
fn the_browser_tool_is_registered_however_the_agent_says_that_it_knows_none() {
    let name = "the_browser_tool_is_registered_however_the_agent_says_that_it_knows_none";
    let Some(here) = host(name) else { return };
    here.host.sh(
        "sed -i 's/No MCP server named /No MCP server found with name: /' /usr/local/bin/claude",
    );
    let run = here.provision(&["apply"]).ok();
    assert!(run.out().ends_with("0 refused, 0 failed.\n"), "{}", run.out());
    assert!(here.host.sh("cat /home/ops/.claude.json").contains("playwright"));
    here.provision(&["plan", "--detailed-exitcode"]).ok();
}

#[test]
fn policy_that_users_cannot_reach_is_reported_with_what_opens_it() {
    let name = "policy_that_users_cannot_reach_is_reported_with_what_opens_it";
    let Some(here) = host(name) else { return };
    here.host.sh("mkdir -m 700 /etc/claude-code");
    let plan = here.provision(&["plan", "--detailed-exitcode"]).code(3).out();
    assert!(plan.contains("users cannot reach it: /etc/claude-code has mode 0700"), "{plan}");
    assert!(plan.contains("chmod 755 /etc/claude-code"), "{plan}");
    here.host.sh("chmod 755 /etc/claude-code");
    here.provision(&["apply"]).ok();
    here.provision(&["plan", "--detailed-exitcode"]).ok();
}

#[test]
fn a_token_that_is_an_assignment_is_given_to_no_user() {
    let name = "a_token_that_is_an_assignment_is_given_to_no_user";
    let Some(here) = host(name) else { return };
    here.host.sh("echo CLAUDE_CODE_OAUTH_TOKEN=sk-shared-hunter2 >/etc/terminal-lobby/agent.token");
    let run = here.provision(&["apply"]).ok();
    assert!(
        run.out().contains("given to no users") && run.out().contains("not a token alone"),
        "{}",
        run.out()
    );
    assert!(!here.host.sh("cat /etc/t3-serve/*.env").contains("CLAUDE_CODE_OAUTH_TOKEN"));
}

#[test]
fn a_certificate_authority_that_only_root_can_read_is_written_by_content() {
    let name = "a_certificate_authority_that_only_root_can_read_is_written_by_content";
    let Some(here) = host(name) else { return };
    here.host.sh("umask 077; mkdir -p /root/pki; printf '%s\\n' '-----BEGIN CERTIFICATE-----' QQ== \\
            '-----END CERTIFICATE-----' >/root/pki/ca.crt
         echo 'clusters: [{name: a, cluster: {server: \"https://k:6443\", certificate-authority: /root/pki/ca.crt}}]' \\
            >/srv/policy/admin.yaml");
    here.provision(&["apply"]).ok();
    let config = here.host.sh("cat /home/ops/.kube/config");
    assert!(config.contains("certificate-authority-data: \"LS0tLS1CRUdJTi"), "{config}");
    assert!(!config.contains("/root/pki"), "{config}");
}

#[test]
fn a_directory_of_homes_that_is_a_link_is_refused_in_the_plan() {
    let name = "a_directory_of_homes_that_is_a_link_is_refused_in_the_plan";
    let Some(here) = host(name) else { return };
    here.host.sh("mkdir /srv/homes; ln -s homes /srv/link");
    here.config(&format!("[provision]\nhome_base = \"/srv/link\"\n{SITE}"));
    let plan = here.provision(&["plan", "--explain"]).ok().out();
    assert!(
        plan.contains("/srv/link is a link to homes: home_base must name the real place"),
        "{plan}"
    );
    here.config(&format!("[provision]\nhome_base = \"/srv/homes\"\n{SITE}"));
    here.provision(&["apply"]).ok();
    assert_eq!(here.host.sh("ls /srv/homes").trim(), "builder\nops\nreader");
}
