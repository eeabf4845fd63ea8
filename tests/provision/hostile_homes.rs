//! Homes in which something else is where our files would be: nothing hangs, nothing is written
//! elsewhere, nothing of the user's is overwritten.

use super::configured::{register, stub};
use super::worker::ran;
use crate::support::Sandbox;
use crate::support::lacks::lacks;
use rustix::fs::{FileType, Mode, mknodat};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Places below a home that our work reads or writes.
const PLACES: [&str; 10] = [
    ".codex",
    ".codex/AGENTS.md",
    ".kube",
    ".kube/config",
    ".claude",
    ".claude/.credentials.json",
    ".claude.json",
    ".claude/rules",
    ".zshrc.d",
    ".zshrc.d/vault.sh",
];

/// What may be there instead of what should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trap {
    Fifo,
    Socket,
    LinkToRootsFile,
    LinkToAnothersFile,
    LinkToAnothersDirectory,
    LinkToNothing,
    LinkToItself,
    LinkToAFifo,
    LinkToEndlessZeros,
    Directory,
    FileOfAnother,
    HardLinkToAnothersFile,
    Sparse,
    Large,
    OddBytes,
    Empty,
    Unreadable,
    Immutable,
}

const TRAPS: [Trap; 18] = [
    Trap::Fifo,
    Trap::Socket,
    Trap::LinkToRootsFile,
    Trap::LinkToAnothersFile,
    Trap::LinkToAnothersDirectory,
    Trap::LinkToNothing,
    Trap::LinkToItself,
    Trap::LinkToAFifo,
    Trap::LinkToEndlessZeros,
    Trap::Directory,
    Trap::FileOfAnother,
    Trap::HardLinkToAnothersFile,
    Trap::Sparse,
    Trap::Large,
    Trap::OddBytes,
    Trap::Empty,
    Trap::Unreadable,
    Trap::Immutable,
];

/// A home with a trap, and another user's directory beside it.
struct Trapped {
    sandbox: Sandbox,
    immutable: Option<PathBuf>,
}

impl Trapped {
    /// None where the machine cannot make it.
    fn new(place: &str, trap: Trap) -> Option<Self> {
        let sandbox = Sandbox::new();
        let (at, others) = (sandbox.home().join(place), sandbox.root().join("others"));
        std::fs::create_dir(&others).unwrap();
        std::fs::write(others.join("file"), "theirs\n").unwrap();
        std::os::unix::fs::chown(&others, Some(12_345), Some(12_345)).ok()?;
        std::os::unix::fs::chown(others.join("file"), Some(12_345), Some(12_345)).unwrap();
        std::fs::create_dir_all(at.parent().unwrap()).unwrap();
        let fifo = |path: &Path| {
            mknodat(rustix::fs::CWD, path, FileType::Fifo, Mode::RWXU, 0).unwrap();
        };
        let mut immutable = None;
        match trap {
            Trap::Fifo => fifo(&at),
            Trap::Socket => drop(std::os::unix::net::UnixListener::bind(&at).unwrap()),
            Trap::LinkToRootsFile => symlink("/etc/shadow", &at).unwrap(),
            Trap::LinkToAnothersFile => symlink(others.join("file"), &at).unwrap(),
            Trap::LinkToAnothersDirectory => symlink(&others, &at).unwrap(),
            Trap::LinkToNothing => symlink(others.join("new"), &at).unwrap(),
            Trap::LinkToItself => symlink(&at, &at).unwrap(),
            Trap::LinkToAFifo => {
                fifo(&sandbox.root().join("fifo"));
                symlink(sandbox.root().join("fifo"), &at).unwrap();
            }
            Trap::LinkToEndlessZeros => symlink("/dev/zero", &at).unwrap(),
            Trap::Directory => std::fs::create_dir(&at).unwrap(),
            Trap::FileOfAnother => {
                std::fs::write(&at, "theirs\n").unwrap();
                std::os::unix::fs::chown(&at, Some(12_345), None).unwrap();
            }
            Trap::HardLinkToAnothersFile => std::fs::hard_link(others.join("file"), &at).unwrap(),
            Trap::Sparse => {
                std::fs::File::create(&at).unwrap().set_len(200 << 30).unwrap();
            }
            Trap::Large => std::fs::write(&at, vec![b'x'; 40 << 20]).unwrap(),
            Trap::OddBytes => std::fs::write(&at, b"\xff\x00\x1b[2J{\n").unwrap(),
            Trap::Empty => std::fs::write(&at, "").unwrap(),
            Trap::Unreadable => {
                std::fs::write(&at, "mine\n").unwrap();
                std::fs::set_permissions(&at, std::fs::Permissions::from_mode(0o000)).unwrap();
            }
            Trap::Immutable => {
                std::fs::write(&at, "{").unwrap();
                let done = std::process::Command::new("chattr").arg("+i").arg(&at).output();
                if !done.is_ok_and(|done| done.status.success()) {
                    return None;
                }
                immutable = Some(at);
            }
        }
        Some(Self { sandbox, immutable })
    }

    /// All that is there: kind, owner, mode, size, and for what is small its bytes.
    fn state(&self) -> BTreeMap<PathBuf, (u32, u32, u64, u64, Vec<u8>)> {
        let mut all = BTreeMap::new();
        let mut dirs = vec![self.sandbox.home(), self.sandbox.root().join("others")];
        while let Some(dir) = dirs.pop() {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                let meta = path.symlink_metadata().unwrap();
                let small = meta.is_file() && meta.len() < 1 << 16;
                let bytes = if small { std::fs::read(&path).unwrap() } else { Vec::new() };
                let value = (meta.mode(), meta.uid(), meta.ino(), meta.len(), bytes);
                all.insert(path.clone(), value);
                if meta.is_dir() {
                    dirs.push(path);
                }
            }
        }
        all
    }
}

impl Drop for Trapped {
    fn drop(&mut self) {
        if let Some(path) = &self.immutable {
            let _ = std::process::Command::new("chattr").arg("-i").arg(path).output();
        }
    }
}

/// Nothing takes longer: no trap is waited for, and no size is read through.
const QUICK: Duration = Duration::from_secs(10);

/// Asks, and checks that there is an answer soon.
#[track_caller]
fn quick(trapped: &Trapped, request: &Value) -> Value {
    let run = ran(&trapped.sandbox, request);
    assert!(run.took < QUICK, "{:?} for {request}", run.took);
    run.json()
}

fn looks() -> Value {
    json!({"inspect": {
        "agents": {"instructions": true, "login": true},
        "cluster": {},
        "browser": {"name": "playwright"},
        "shared": {},
    }})
}

fn works() -> [Value; 3] {
    let link = |kind: &str, name: &str| json!({"kind": kind, "name": name, "target": format!("/srv/base/{kind}/{name}")});
    let links = [link("rules", "style.md"), link("zsh", "vault.sh")];
    [
        json!({"perform": {"agents": {"instructions": {"text": "managed\n", "before": null}}}}),
        json!({"perform": {"cluster": {"config": {"text": "apiVersion: v1\n"}}}}),
        json!({"perform": {"shared": {"links": {"remove": links, "add": links}}}}),
    ]
}

#[test]
fn no_trap_in_a_home_is_fallen_into() {
    let (mut cases, mut wrong, mut lacking) = (0, Vec::new(), Vec::new());
    for place in PLACES {
        for trap in TRAPS {
            let Some(trapped) = Trapped::new(place, trap) else {
                lacking.push(format!("{trap:?} at {place}"));
                continue;
            };
            cases += 1;
            let before = trapped.state();
            let seen = quick(&trapped, &looks());
            assert!(seen["facts"].is_object(), "{place} {trap:?}: {seen}");
            if trapped.state() != before {
                wrong.push(format!("looking at {place} ({trap:?}) changed something"));
            }
            for work in works() {
                quick(&trapped, &work);
            }
            let add = "printf '{\"mcpServers\": {\"playwright\": {}}}' >\"$HOME/.claude.json\"";
            register(&trapped.sandbox, &stub(&trapped.sandbox, add));
            let after = trapped.state();
            for (path, was) in &before {
                let Some(now) = after.get(path) else {
                    wrong.push(format!("{place} {trap:?}: {} is gone", path.display()));
                    continue;
                };
                let kept = was.0 == now.0 && was.1 == now.1 && now.4.starts_with(&was.4);
                if !kept || (was.2 != now.2 && !may_be_replaced(path, trap)) {
                    wrong.push(format!("{place} {trap:?}: {} has changed", path.display()));
                }
            }
            let others = trapped.sandbox.root().join("others");
            let made = after.keys().filter(|path| path.starts_with(&others)).count();
            if made != 1 {
                wrong.push(format!("{place} {trap:?}: something was made in another's directory"));
            }
        }
    }
    if !lacking.is_empty() {
        lacks("no_trap_in_a_home_is_fallen_into", &lacking.join(", "));
    }
    println!("{cases} hostile homes");
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(cases >= 100 || !lacking.is_empty(), "{cases}");
}

/// Instructions of a person's own are replaced by themselves with a block at the end.
fn may_be_replaced(path: &Path, trap: Trap) -> bool {
    path.ends_with(".codex/AGENTS.md")
        && matches!(trap, Trap::OddBytes | Trap::Empty | Trap::Unreadable)
}

/// What the user's process says of each trap, where it matters.
#[test]
fn a_trap_is_reported_and_a_token_goes_to_nobody_whose_login_cannot_be_told() {
    for (place, trap, part, wanted) in [
        (".codex/AGENTS.md", Trap::LinkToAnothersFile, "instructions", "a link: not followed"),
        (".codex", Trap::LinkToAnothersDirectory, "instructions", "a link: not followed"),
        (".codex/AGENTS.md", Trap::Fifo, "instructions", "not a regular file"),
        (".codex/AGENTS.md", Trap::Sparse, "instructions", "larger than 1048576 bytes"),
        (".codex/AGENTS.md", Trap::HardLinkToAnothersFile, "instructions", "belongs to uid 12345"),
        (".claude", Trap::LinkToAnothersDirectory, "login", "a link: not followed"),
        (".claude", Trap::Fifo, "login", "not a directory"),
    ] {
        let Some(trapped) = Trapped::new(place, trap) else {
            return lacks("a_trap_is_reported", "needs root");
        };
        let seen = quick(&trapped, &looks());
        let said = seen["facts"]["agents"][part].to_string();
        assert!(said.contains(wanted), "{place} {trap:?}: {said}");
        assert!(said.starts_with("{\"unusable\"") || said.starts_with("{\"unknown\""), "{said}");
    }
}

/// A directory that flips to a link while the work goes on leads nowhere.
#[test]
fn a_directory_that_flips_to_a_link_leads_nowhere() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let sandbox = Sandbox::new();
    let (home, victim) = (sandbox.home(), sandbox.root().join("victim"));
    std::fs::create_dir(&victim).unwrap();
    let stop = AtomicBool::new(false);
    let (kube, aside) = (home.join(".kube"), home.join("aside"));
    symlink(&victim, &aside).unwrap();
    std::fs::create_dir(&kube).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::SeqCst) {
                let flags = rustix::fs::RenameFlags::EXCHANGE;
                rustix::fs::renameat_with(rustix::fs::CWD, &kube, rustix::fs::CWD, &aside, flags)
                    .unwrap();
            }
        });
        for _ in 0..40 {
            ran(&sandbox, &works()[1]);
            for dir in [&kube, &aside] {
                if !dir.is_symlink() {
                    let _ = std::fs::remove_file(dir.join("config"));
                }
            }
        }
        stop.store(true, Ordering::SeqCst);
    });
    let made: Vec<_> = std::fs::read_dir(&victim).unwrap().collect();
    assert!(made.is_empty(), "{made:?}");
}
