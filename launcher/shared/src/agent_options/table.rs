//! What is known of each option (pure): from `claude --help` and the program of 2.1.332, and from
//! `codex --help`, `codex resume --help` and `codex fork --help` of 0.171.0. `tests/agents` compares
//! this with what the real programs say.

/// Which words after an option are its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    Nothing,
    One,
    PerhapsOne,
    Many,
}

/// What an option is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// How the agent works: it comes back.
    Setting,
    /// As a setting; every value counts.
    Repeatable,
    /// The name of the conversation, which a resumed one has already.
    Name,
    /// It names a conversation, carries a prompt, or has its effect once only.
    Once,
}

/// One option.
#[derive(Debug)]
pub(super) struct Spec {
    /// All its spellings, with their dashes.
    pub(super) names: &'static [&'static str],
    pub(super) takes: Takes,
    pub(super) purpose: Purpose,
}

pub(super) fn find<'a>(specs: &'a [Spec], name: &[u8]) -> Option<&'a Spec> {
    specs.iter().find(|spec| spec.names.iter().any(|known| known.as_bytes() == name))
}

pub(super) const fn spec(names: &'static [&'static str], takes: Takes, purpose: Purpose) -> Spec {
    Spec { names, takes, purpose }
}

pub(super) const fn flag(names: &'static [&'static str]) -> Spec {
    spec(names, Takes::Nothing, Purpose::Setting)
}

pub(super) const fn value(names: &'static [&'static str]) -> Spec {
    spec(names, Takes::One, Purpose::Setting)
}

pub(super) const fn values(names: &'static [&'static str]) -> Spec {
    spec(names, Takes::Many, Purpose::Repeatable)
}

pub(super) const fn repeatable(names: &'static [&'static str]) -> Spec {
    spec(names, Takes::One, Purpose::Repeatable)
}

pub(super) const fn once(names: &'static [&'static str], takes: Takes) -> Spec {
    spec(names, takes, Purpose::Once)
}

pub(super) const CLAUDE: &[Spec] = &[
    // What names a conversation, or says which part of it counts.
    once(&["--resume", "-r"], Takes::PerhapsOne),
    once(&["--session-id"], Takes::One),
    once(&["--continue", "-c"], Takes::Nothing),
    once(&["--fork-session"], Takes::Nothing),
    once(&["--from-pr"], Takes::PerhapsOne),
    once(&["--teleport"], Takes::PerhapsOne),
    once(&["--cloud"], Takes::PerhapsOne),
    once(&["--remote"], Takes::PerhapsOne),
    once(&["--resume-session-at"], Takes::One),
    once(&["--resume-drops-turn"], Takes::One),
    once(&["--rewind-files"], Takes::One),
    once(&["--reply-on-resume"], Takes::Nothing),
    once(&["--session-began-as-copy"], Takes::One),
    spec(&["--name", "-n"], Takes::One, Purpose::Name),
    // Prompts.
    once(&["--prefill"], Takes::One),
    once(&["--prefill-b64"], Takes::One),
    once(&["--deep-link-origin"], Takes::Nothing),
    once(&["--deep-link-repo"], Takes::One),
    once(&["--deep-link-cwd-b64"], Takes::One),
    once(&["--deep-link-last-fetch"], Takes::One),
    once(&["--from-link"], Takes::Nothing),
    // What has its effect once: where the conversation begins, what is fetched or set up for it.
    once(&["--bg", "--background"], Takes::Nothing),
    once(&["--desktop"], Takes::Nothing),
    once(&["--worktree", "-w"], Takes::PerhapsOne),
    once(&["--tmux"], Takes::Nothing),
    once(&["--file"], Takes::Many),
    once(&["--init"], Takes::Nothing),
    once(&["--init-only"], Takes::Nothing),
    once(&["--maintenance"], Takes::Nothing),
    once(&["--print", "-p"], Takes::Nothing),
    once(&["--help", "-h"], Takes::Nothing),
    once(&["--version", "-v"], Takes::Nothing),
    // Settings.
    values(&["--add-dir"]),
    values(&["--allowedTools", "--allowed-tools"]),
    values(&["--disallowedTools", "--disallowed-tools"]),
    values(&["--tools"]),
    values(&["--mcp-config"]),
    values(&["--betas"]),
    values(&["--channels"]),
    values(&["--dangerously-load-development-channels"]),
    repeatable(&["--plugin-dir"]),
    repeatable(&["--plugin-dir-no-mcp"]),
    repeatable(&["--plugin-url"]),
    spec(&["--debug", "-d"], Takes::PerhapsOne, Purpose::Setting),
    spec(&["--prompt-suggestions"], Takes::PerhapsOne, Purpose::Setting),
    spec(&["--remote-control", "--rc"], Takes::PerhapsOne, Purpose::Setting),
    value(&["--advisor"]),
    value(&["--agent"]),
    value(&["--agents"]),
    value(&["--agent-color"]),
    value(&["--agent-id"]),
    value(&["--agent-name"]),
    value(&["--agent-type"]),
    value(&["--append-system-prompt"]),
    value(&["--append-system-prompt-file"]),
    value(&["--append-subagent-system-prompt"]),
    value(&["--append-subagent-system-prompt-file"]),
    value(&["--autocompact"]),
    value(&["--debug-file"]),
    value(&["--effort"]),
    value(&["--environment"]),
    value(&["--fallback-model"]),
    value(&["--fast-mode"]),
    value(&["--inherit-permission-mode"]),
    value(&["--input-format"]),
    value(&["--json-schema"]),
    value(&["--managed-settings"]),
    value(&["--max-budget-usd"]),
    value(&["--max-thinking-tokens"]),
    value(&["--max-turns"]),
    value(&["--model"]),
    value(&["--output-format"]),
    value(&["--parent-session-id"]),
    value(&["--permission-mode"]),
    value(&["--permission-prompt-tool"]),
    value(&["--permission-prompts"]),
    value(&["--plan-mode-instructions"]),
    value(&["--project-config-root"]),
    value(&["--remote-control-session-name-prefix"]),
    value(&["--setting-sources"]),
    value(&["--settings"]),
    value(&["--system-prompt"]),
    value(&["--system-prompt-file"]),
    value(&["--system-prompt-snapshot"]),
    value(&["--task-budget"]),
    value(&["--team-name"]),
    value(&["--teammate-mode"]),
    value(&["--thinking"]),
    value(&["--thinking-display"]),
    value(&["--watch-artifact"]),
    value(&["--watch-artifact-no-autoreact"]),
    value(&["--workload"]),
    flag(&["--allow-dangerously-skip-permissions"]),
    flag(&["--ax-screen-reader"]),
    flag(&["--bare"]),
    flag(&["--brief"]),
    flag(&["--chrome"]),
    flag(&["--dangerously-skip-permissions"]),
    flag(&["--disable-slash-commands"]),
    flag(&["--enable-auto-mode"]),
    flag(&["--exclude-dynamic-system-prompt-sections"]),
    flag(&["--forward-subagent-text"]),
    flag(&["--ide"]),
    flag(&["--include-hook-events"]),
    flag(&["--include-partial-messages"]),
    flag(&["--interview"]),
    flag(&["--no-chrome"]),
    flag(&["--no-session-persistence"]),
    flag(&["--plan-mode-required"]),
    flag(&["--replay-user-messages"]),
    flag(&["--restricted"]),
    flag(&["--safe-mode"]),
    flag(&["--session-mirror"]),
    flag(&["--strict-mcp-config"]),
    flag(&["--verbose"]),
];

pub(super) const CODEX: &[Spec] = &[
    once(&["--last"], Takes::Nothing),
    once(&["--all"], Takes::Nothing),
    once(&["--include-non-interactive"], Takes::Nothing),
    // Attached to the prompt.
    once(&["--image", "-i"], Takes::Many),
    once(&["--worktree"], Takes::Nothing),
    once(&["--help", "-h"], Takes::Nothing),
    once(&["--version", "-V"], Takes::Nothing),
    repeatable(&["--config", "-c"]),
    repeatable(&["--enable"]),
    repeatable(&["--disable"]),
    repeatable(&["--add-dir"]),
    value(&["--remote"]),
    value(&["--remote-auth-token-env"]),
    value(&["--model", "-m"]),
    value(&["--local-provider"]),
    value(&["--profile", "-p"]),
    value(&["--sandbox", "-s"]),
    value(&["--ask-for-approval", "-a"]),
    value(&["--cd", "-C"]),
    flag(&["--strict-config"]),
    flag(&["--oss"]),
    flag(&["--approve-for-me"]),
    flag(&["--full-auto"]),
    flag(&["--dangerously-bypass-approvals-and-sandbox", "--yolo"]),
    flag(&["--dangerously-bypass-hook-trust"]),
    flag(&["--search"]),
    flag(&["--no-alt-screen"]),
    flag(&["--no-daemon"]),
];
