//! Users whose agent's files are not what an agent writes.

use super::agent;
use super::report::{good_users, good_users_are_saved, root_wrote_nothing, save};
use crate::support::host::Host;

const ID: &str = "11111111-2222-4333-8444-555555555555";

#[test]
fn fifos_in_place_of_an_agents_files_hold_up_nobody() {
    let Some(host) = Host::new("fifos_in_place_of_an_agents_files_hold_up_nobody") else { return };
    good_users(&host);
    for user in ["record", "records", "transcript", "projects", "claude"] {
        host.user(user);
        let pid = agent::start(&host, user, "main", &[]);
        let slug = format!("~/.claude/projects/-home-{user}");
        match user {
            "record" => {
                host.sh_as(
                    user,
                    &format!("mkdir -p ~/.claude/sessions; mkfifo ~/.claude/sessions/{pid}.json"),
                );
            }
            "records" => {
                host.sh_as(user, "mkdir ~/.claude; mkfifo ~/.claude/sessions");
            }
            "transcript" => {
                agent::write_record(&host, user, pid, ID);
                host.sh_as(user, &format!("mkdir -p {slug}; mkfifo {slug}/{ID}.jsonl"));
            }
            "projects" => {
                agent::write_record(&host, user, pid, ID);
                host.sh_as(user, "mkfifo ~/.claude/projects");
            }
            _ => {
                host.sh_as(user, "mkfifo ~/.claude");
            }
        }
    }
    let report = save(&host);
    good_users_are_saved(&report);
    report.within(6).spoken("record");
    for user in ["record", "records", "transcript", "projects", "claude"] {
        // Whether it is a note or a failure, the terminal itself is known: nothing of it is lost.
        report.saved(user, 1);
    }
    assert_eq!(agent::conversation(&host, "record", "main"), None);
    root_wrote_nothing(&host);
}

#[test]
fn a_link_out_of_the_home_is_not_followed() {
    let Some(host) = Host::new("a_link_out_of_the_home_is_not_followed") else { return };
    good_users(&host);
    host.user("helper");
    for user in ["tohelper", "toetc", "recordlink"] {
        host.user(user);
        let pid = agent::start(&host, user, "main", &[]);
        let record = agent::record(&host, user, pid, ID);
        // Readable for all: what must stop the reader is the rule, not a mode.
        let bait = format!("/home/helper/bait/sessions/{pid}.json");
        let give = "umask 022; chmod 755 ~; cd; mkdir -p bait/sessions";
        host.sh_as("helper", &format!("{give}; printf %s '{record}' >{bait}"));
        let link = match user {
            "tohelper" => "ln -s /home/helper/bait ~/.claude".to_owned(),
            "toetc" => "ln -s /etc ~/.claude".to_owned(),
            _ => format!("mkdir -p ~/.claude/sessions; ln -s {bait} ~/.claude/sessions/"),
        };
        host.sh_as(user, &link);
    }
    let report = save(&host);
    good_users_are_saved(&report);
    for user in ["tohelper", "toetc", "recordlink"] {
        report.saved(user, 1).spoken(user);
        assert_eq!(agent::conversation(&host, user, "main"), None, "{user}");
    }
    report.within(6);
    root_wrote_nothing(&host);
}

#[test]
fn huge_and_torn_records_are_bounded() {
    let Some(host) = Host::new("huge_and_torn_records_are_bounded") else { return };
    good_users(&host);
    for (user, make) in [
        ("sparse", "truncate -s 5G"),
        ("nested", "yes '[' | head -c 200000 | tr -d '\\n' >"),
        ("torn", "printf '{\"pid\":' >"),
        ("nul", "head -c 4096 /dev/zero >"),
        (
            "forged",
            "printf '{\"pid\":1,\"sessionId\":\"../../../etc/passwd\",\"procStart\":\"1\"}' >",
        ),
    ] {
        host.user(user);
        let pid = agent::start(&host, user, "main", &[]);
        let file = format!("~/.claude/sessions/{pid}.json");
        host.sh_as(user, &format!("mkdir -p ~/.claude/sessions; {make} {file}"));
    }
    let report = save(&host);
    good_users_are_saved(&report);
    for user in ["sparse", "nested", "torn", "nul", "forged"] {
        report.saved(user, 1).spoken(user);
        assert_eq!(agent::conversation(&host, user, "main"), None, "{user}");
    }
    report.within(6);
}

#[test]
fn a_five_gigabyte_transcript_is_not_read() {
    let Some(host) = Host::new("a_five_gigabyte_transcript_is_not_read") else { return };
    good_users(&host);
    for user in ["known", "guessed"] {
        host.user(user);
        let pid = agent::start(&host, user, "main", &[]);
        let slug = format!("~/.claude/projects/-home-{user}");
        host.sh_as(user, &format!("mkdir -p {slug}; truncate -s 5G {slug}/{ID}.jsonl"));
        if user == "known" {
            agent::write_record(&host, user, pid, ID);
        }
    }
    let report = save(&host);
    good_users_are_saved(&report);
    report.saved("known", 1).saved("guessed", 1).code(0).within(4);
    assert_eq!(agent::conversation(&host, "known", "main").as_deref(), Some(ID));
}

#[test]
fn a_hundred_thousand_transcripts_cost_little() {
    let Some(host) = Host::new("a_hundred_thousand_transcripts_cost_little") else { return };
    good_users(&host);
    // Most of the cost is in making them, so one set serves two users: who has a record of the
    // conversation, and who has to be guessed.
    host.user("known");
    let pid = agent::start(&host, "known", "main", &[]);
    agent::write_record(&host, "known", pid, ID);
    agent::start(&host, "known", "guess", &[]);
    let make = "import os; d = os.path.expanduser('~/.claude/projects/-home-known'); \
        os.makedirs(d); \
        [os.close(os.open(f'{d}/{n:08x}-0000-4000-8000-000000000000.jsonl', os.O_CREAT)) \
            for n in range(100000)]";
    host.as_user("known", ["python3", "-I", "-c", make]).ok();
    host.sh_as("known", &format!("echo '{{}}' >~/.claude/projects/-home-known/{ID}.jsonl"));

    let report = save(&host);
    good_users_are_saved(&report);
    report.saved("known", 2).code(0).within(4);
    assert_eq!(agent::conversation(&host, "known", "main").as_deref(), Some(ID));
    assert_eq!(agent::conversation(&host, "known", "guess"), None, "a guess abstains");
}
