//! The house keeps its shape: which part may use which, where effects may live, and how large things get.

mod circles;
mod graph;
mod rules;
mod selftest;
mod source;

use graph::graph;
use rules::Floor;
use source::{Sources, read};

/// What each part of `src` may use besides itself. Arrows point down only.
const HOUSE: Floor = Floor {
    dir: "src",
    parts: &[
        ("bin", &["cli"]),
        (
            "cli",
            &[
                "supervisor",
                "persist",
                "events",
                "t3",
                "provision",
                "offboard",
                "roster",
                "agent",
                "snapshot",
                "identity",
                "sys",
                "yaml",
                "text",
            ],
        ),
        (
            "lobby",
            &[
                "cli",
                "identity",
                "supervisor",
                "persist",
                "t3",
                "agent",
                "tmux",
                "process",
                "sys",
                "text",
            ],
        ),
        ("t3", &["provision", "identity", "sys", "text"]),
        ("supervisor", &["persist", "events", "snapshot", "identity", "sys", "text"]),
        ("persist", &["events", "snapshot", "agent", "tmux", "process", "sys", "text"]),
        (
            "provision",
            &["offboard", "roster", "agent", "identity", "sys", "yaml", "text", "freshen"],
        ),
        ("offboard", &["roster", "identity", "sys", "text"]),
        ("roster", &["identity", "yaml", "text"]),
        ("events", &["snapshot", "sys", "text"]),
        ("snapshot", &["sys", "text"]),
        ("agent", &["process", "sys", "text"]),
        ("tmux", &["sys", "text"]),
        ("identity", &["text"]),
        ("process", &["sys", "text"]),
        // It knows nothing of this product.
        ("sys", &["text"]),
        ("yaml", &["text"]),
        ("text", &[]),
        // The crates below launcher/, which must stay cheap to start.
        ("launcher", &["freshen"]),
        ("freshen", &[]),
    ],
};

const PERSIST: Floor = Floor {
    dir: "src/persist",
    parts: &[
        // The one file that knows all commands.
        (
            "dispatch",
            &[
                "commands",
                "restore",
                "save",
                "suspend",
                "watch",
                "report",
                "request",
                "context",
                "watch_task",
            ],
        ),
        (
            "watch",
            &[
                "deaths",
                "restore",
                "save",
                "capture",
                "report",
                "context",
                "restore_mode",
                "error",
                "restore_pending",
                "watch_task",
            ],
        ),
        (
            "commands",
            &[
                "restore",
                "save",
                "capture",
                "report",
                "request",
                "context",
                "restore_mode",
                "error",
                "own_program",
                "stranded_server",
            ],
        ),
        (
            "restore",
            &[
                "deaths",
                "save",
                "capture",
                "capture_policy",
                "report",
                "request",
                "context",
                "restore_mode",
                "error",
                "restore_pending",
                "stranded_server",
            ],
        ),
        (
            "save",
            &[
                "capture",
                "capture_policy",
                "report",
                "request",
                "context",
                "error",
                "own_program",
                "restore_pending",
                "stranded_server",
            ],
        ),
        ("capture", &["capture_policy", "context"]),
        ("error", &["report"]),
        ("report", &["request", "restore_mode"]),
        ("deaths", &[]),
        ("watch_task", &[]),
        ("context", &["capture_policy", "restore_mode", "suspend_request", "watch_task"]),
        ("request", &["capture_policy", "restore_mode", "suspend_request", "watch_task"]),
        ("capture_policy", &[]),
        (
            "suspend",
            &[
                "restore",
                "save",
                "capture",
                "report",
                "context",
                "restore_mode",
                "suspend_request",
                "error",
                "stranded_server",
            ],
        ),
        ("sessions", &["capture", "context", "deaths", "error", "save"]),
        ("prompt", &["context", "sessions"]),
        ("restore_mode", &[]),
        ("suspend_request", &[]),
        ("own_dir", &[]),
        ("own_program", &[]),
        ("restore_pending", &[]),
        ("stranded_server", &["context", "error"]),
    ],
};

const PROVISION: Floor = Floor {
    dir: "src/provision",
    parts: &[
        ("backup", &["state", "settings", "paths"]),
        ("host_base", &["observe", "sources", "change", "edit", "state", "settings", "paths"]),
        (
            "apply",
            &[
                "plan", "observe", "worker", "sources", "change", "state", "edit", "protocol",
                "settings", "paths",
            ],
        ),
        (
            "plan",
            &["observe", "sources", "change", "state", "edit", "protocol", "settings", "paths"],
        ),
        ("observe", &["worker", "sources", "state", "protocol", "settings", "paths"]),
        // What a user's own process does; root reaches it through the worker.
        ("home", &["state", "edit", "protocol", "settings"]),
        ("worker", &["protocol"]),
        ("sources", &["state", "settings"]),
        ("state", &["paths"]),
        ("protocol", &["settings"]),
        ("edit", &[]),
        ("change", &[]),
        ("paths", &["settings"]),
        ("settings", &[]),
    ],
};

const LOBBY: Floor = Floor {
    dir: "src/lobby",
    parts: &[
        ("main", &[]),
        ("build", &[]),
        ("open", &["open_links", "agent", "auth", "list", "page", "terminal", "args", "error"]),
        ("open_links", &["agent", "auth", "share"]),
        ("serve_agent", &["agent", "terminal", "protocol", "args", "error"]),
        // It knows no session, no terminal and no agent but by its socket.
        ("gateway", &["auth", "page", "protocol", "args"]),
        (
            "agent",
            &[
                "attention",
                "auth",
                "list",
                "terminal",
                "conversation",
                "layout",
                "search",
                "files",
                "held",
                "share",
                "spares",
                "present",
                "kept",
                "protocol",
                "error",
            ],
        ),
        ("attention", &["list", "kept", "protocol", "error"]),
        ("terminal", &["list", "present", "protocol", "error"]),
        ("conversation", &["list", "present", "protocol"]),
        ("files", &["list", "kept", "protocol"]),
        ("search", &["list", "terminal", "kept", "protocol", "error"]),
        ("list", &["protocol", "error"]),
        ("layout", &["kept", "protocol", "error"]),
        ("share", &["present", "kept", "protocol", "error"]),
        ("present", &["protocol"]),
        ("auth", &[]),
        ("page", &[]),
        ("protocol", &[]),
        ("args", &[]),
        ("error", &["kept"]),
        ("held", &["list", "kept", "protocol", "error"]),
        ("spares", &["list", "kept", "error"]),
        ("kept", &[]),
    ],
};

/// Folders that have no effects; their first lines must say so.
const PURE: [&str; 6] = [
    "src/text",
    "src/yaml",
    "src/roster",
    "src/provision/plan",
    "src/provision/edit",
    "src/lobby/protocol",
];

fn production() -> Sources {
    read(&["src", "launcher"]).into_iter().filter(|(file, _)| !file.contains("/tests/")).collect()
}

fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let circles = rules::circles_of_files(&graph(&production()).uses);
    assert_none(&circles);
}

#[test]
fn arrows_point_down() {
    let graph = graph(&production());
    let files = graph.files.keys().map(String::as_str).collect();
    let floors = [&HOUSE, &PERSIST, &PROVISION, &LOBBY];
    let faults = floors.map(|floor| rules::arrows_up(&graph.uses, &files, floor)).concat();
    assert_none(&faults);
}

#[test]
fn pure_files_have_no_effects() {
    let sources = production();
    assert_none(&rules::effects_in_pure_files(&sources, &graph(&sources)));
    for folder in PURE {
        assert!(
            rules::is_pure(&sources, &format!("{folder}/mod.rs")),
            "{folder}/mod.rs does not say (pure)"
        );
    }
    assert!(rules::is_pure(&sources, "src/identity.rs"));
}

#[test]
fn unsafe_code_lives_in_sys_and_five_files_below_launcher() {
    let launcher = [
        "src/process/agent",
        "src/process/apart",
        "src/process/signals",
        "shared/src/child",
        "shared/src/mounts",
    ]
    .map(|name| format!("launcher/{name}.rs"));
    let allowed =
        |file: &str| file.starts_with("src/sys/") || launcher.iter().any(|name| name == file);
    assert_none(&rules::unsafe_lines(&graph(&production()), &allowed));
}

#[test]
fn errors_have_types() {
    let sources = production();
    let texts = rules::string_errors(&graph(&sources));
    let lack: Vec<String> = texts
        .iter()
        .filter(|(file, line)| !rules::gives_reason(&sources[file], *line))
        .map(|(file, line)| {
            format!("{file}:{line}: Result<_, String>, and no comment on it says why")
        })
        .collect();
    assert_none(&lack);
    assert!(texts.len() < 40, "{} of Result<_, String>", texts.len());
}

#[test]
fn files_and_folders_stay_small() {
    let sources = read(&["src", "launcher", "tests"]);
    assert_none(&rules::long_files(&sources, 500));
    assert_none(&rules::full_folders(&sources, 20));
}

/// docs/architecture.md has each folder with the first sentence of its `mod.rs`.
#[test]
fn the_document_lists_every_folder() {
    let folders = rules::folders(&production()).unwrap();
    let lines: Vec<String> =
        folders.into_iter().map(|(folder, text)| format!("| `{folder}` | {text} |\n")).collect();
    let should = format!("| folder | what lives there |\n|---|---|\n{}", lines.concat());
    let begin = "<!-- folders: written by `make docs`, checked by tests/architecture -->";
    crate::documents::check_part("docs/architecture.md", begin, &should, |a, b| a == b);
}

/// Lesson 29 has none: nothing here checks whether a service of others is well.
#[test]
fn each_lesson_of_the_predecessor_has_a_test_named_for_it() {
    let tests = read(&["tests"]);
    let tested = |n: &u32| tests.values().any(|text| text.contains(&format!("fn lesson_{n:02}_")));
    let missing: Vec<u32> = (1..=37).filter(|n| *n != 29 && !tested(n)).collect();
    assert!(missing.is_empty(), "no test is named for lessons {missing:?}");
}
