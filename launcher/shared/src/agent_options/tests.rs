use super::*;

const ID: &str = "0d0a8f5e-0000-4000-8000-000000000001";

fn words(line: &[&str]) -> Vec<Vec<u8>> {
    line.iter().map(|word| word.as_bytes().to_vec()).collect()
}

fn kept_of(agent: &str, line: &[&str], is_new: bool) -> Vec<String> {
    let kept = kept(agent, &words(line), is_new);
    kept.into_iter().map(|word| String::from_utf8(word).unwrap()).collect()
}

fn resumed(agent: &str, line: &[&str]) -> Vec<String> {
    kept_of(agent, line, false)
}

#[test]
fn settings_stay_and_what_names_a_conversation_or_is_a_prompt_goes() {
    for (line, expected) in [
        (
            &["--dangerously-skip-permissions", "--model", "opus", "--add-dir", "../lib"][..],
            &["--dangerously-skip-permissions", "--model", "opus", "--add-dir", "../lib"][..],
        ),
        (&["--model", "opus", "--", "a prompt", "--verbose"], &["--model", "opus"]),
        (&["a prompt with spaces", "--model", "x"], &["--model", "x"]),
        (&["--model=x", "fix", "it"], &["--model=x"]),
        (&["--resume", ID, "--verbose"], &["--verbose"]),
        (&["-r", "--verbose"], &["--verbose"]),
        (&["--resume", "the login bug", "--verbose"], &["--verbose"]),
        (&["--resume=x", "--session-id=y", "-c", "--fork-session", "--ide"], &["--ide"]),
        (&["--continue", "a prompt"], &[]),
        (
            &["--allowedTools", "Bash(git *)", "Edit", "--mcp-config", "a.json", "b.json", "-c"],
            &["--allowedTools", "Bash(git *)", "Edit", "--mcp-config", "a.json", "b.json"],
        ),
        (
            &["--append-system-prompt", "Be brief. --verbose", "--settings", "{\"a\": 1}"],
            &["--append-system-prompt", "Be brief. --verbose", "--settings", "{\"a\": 1}"],
        ),
        (&["--append-system-prompt", "-x"], &["--append-system-prompt", "-x"]),
        (&["--tools", "", "--ide"], &["--tools", "", "--ide"]),
        (&["-d", "api,hooks", "do it"], &["-d", "api,hooks"]),
        (&["-d", "--ide"], &["-d", "--ide"]),
        (&["--worktree", "feature", "--tmux", "--ide"], &["--ide"]),
        (&["--name", "mine", "--ide"], &["--ide"]),
        (&["-dc"], &["-dc"]), // a filter `c`
        (&["-cd", "api"], &["-d", "api"]),
        (&["-cr", ID], &[]),
    ] {
        assert_eq!(resumed("claude", line), expected, "{line:?}");
    }
}

#[test]
fn a_new_conversation_keeps_its_name() {
    let line = ["--name", "mine", "--resume", ID, "-n", "x"];
    assert_eq!(kept_of("claude", &line, true), ["--name", "mine", "-n", "x"]);
}

#[test]
fn codex_keeps_its_options_before_and_after_a_subcommand() {
    for (line, expected) in [
        (&["--yolo", "--profile", "work"][..], &["--yolo", "--profile", "work"][..]),
        (
            &["-c", "model=\"o3\"", "resume", "-m", "gpt-5", ID, "a prompt"],
            &["-c", "model=\"o3\"", "-m", "gpt-5"],
        ),
        (&["resume", "--last", "--search"], &["--search"]),
        (&["fork", ID, "-C", "sub", "go on"], &["-C", "sub"]),
        (&["-i", "a.png", "b.png", "--oss", "look"], &["--oss"]),
        (&["-mgpt-5", "-s=read-only", "-a", "never"], &["-mgpt-5", "-s=read-only", "-a", "never"]),
        (&["--add-dir", "../x", "prompt"], &["--add-dir", "../x"]),
        (
            &["--no-daemon", "--enable", "a", "--enable", "b"],
            &["--no-daemon", "--enable", "a", "--enable", "b"],
        ),
    ] {
        assert_eq!(resumed("codex", line), expected, "{line:?}");
    }
}

#[test]
fn an_unknown_option_keeps_its_value_unless_that_could_be_a_prompt_or_an_id() {
    for agent in ["claude", "codex"] {
        for (line, expected) in [
            (&["--newest", "value", "--also"][..], &["--newest", "value", "--also"][..]),
            (&["--newest=a b"], &["--newest=a b"]),
            (&["--newest", "fix the bug"], &[]),
            (&["--newest", ID], &[]),
            (&["--newest", "resume", ID], &["--newest"]),
            (&["-Z", "3"], &["-Z", "3"]),
        ] {
            assert_eq!(resumed(agent, line), expected, "{agent} {line:?}");
        }
    }
    assert_eq!(resumed("other", &["--x"]), [""; 0]);
}

#[test]
fn configured_options_that_are_given_are_not_repeated() {
    let left = |agent: &str, set: &[&str], more: &[&str]| -> Vec<String> {
        let left = without_repeats(agent, &words(set), &words(more));
        left.into_iter().map(|word| String::from_utf8(word).unwrap()).collect()
    };
    let set = ["--model", "opus", "--add-dir", "a", "--dangerously-skip-permissions"];
    let more = ["--model=x", "--add-dir", "b", "--add-dir", "a", "--verbose", "word"];
    assert_eq!(left("claude", &set, &more), ["--add-dir", "b", "--verbose", "word"]);
    let yolo = ["--dangerously-bypass-approvals-and-sandbox", "--no-daemon", "-c", "a=1"];
    assert_eq!(left("codex", &["--yolo", "-c", "b=1", "--no-daemon"], &yolo), ["-c", "a=1"]);
    assert_eq!(left("mine", &["--x"], &["--x"]), ["--x"], "an agent with unknown options");
}

#[test]
fn every_spelling_is_known_once() {
    for agent in ["claude", "codex"] {
        let mut names = agents::names(agent);
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "{agent}");
        assert!(names.iter().all(|name| name.starts_with('-')), "{agent}");
    }
}

#[test]
fn the_other_agents_keep_their_settings_and_no_secret_nor_prompt() {
    for (agent, line, expected) in [
        (
            "copilot",
            &["--allow-tool", "shell(git:*)", "write", "--model", "x", "--resume", ID, "-p", "a"][..],
            &["--allow-tool", "shell(git:*)", "write", "--model", "x"][..],
        ),
        ("copilot", &["--yolo", "--session-id", ID, "-n", "mine"], &["--yolo"]),
        (
            "gemini",
            &["-m", "pro", "--resume", "latest", "-y", "what is this"],
            &["-m", "pro", "-y"],
        ),
        ("gemini", &["-e", "a", "b", "--session-id", ID, "-i", "hello"], &["-e", "a", "b"]),
        (
            "qwen",
            &["--openai-api-key", "k", "--openai-base-url", "http://x"],
            &["--openai-base-url", "http://x"],
        ),
        ("qwen", &["-c", "--approval-mode", "plan"], &["--approval-mode", "plan"]),
        ("opencode", &["-s", "ses_1", "-m", "a/b", "./project"], &["-m", "a/b"]),
        (
            "aider",
            &["--openai-api-key", "k", "--model", "x", "--msg", "do it", "a.py"],
            &["--model", "x"],
        ),
    ] {
        assert_eq!(resumed(agent, line), expected, "{agent} {line:?}");
    }
}

#[test]
fn operands_and_values_are_told_apart() {
    let line = words(&["--model", "x", "mcp", "--resume=u", "-p", "run", "--", "-x"]);
    assert_eq!(operands("copilot", &line), [&b"mcp"[..], b"-x"]);
    assert_eq!(value("copilot", &line, "--resume"), Some(b"u".to_vec()));
    assert_eq!(value("copilot", &line, "--prompt"), Some(b"run".to_vec()));
    assert_eq!(value("copilot", &line, "--name"), None);
    assert!(has("copilot", &line, "--prompt") && !has("copilot", &line, "--yolo"));
}
