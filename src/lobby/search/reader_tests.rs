#![expect(clippy::disallowed_methods, reason = "what users and agents do to their files")]

use super::*;
use crate::search::words::query;
use std::cell::{Cell, RefCell};
use std::io::Write;

struct Lab {
    root: tempfile::TempDir,
    kept: Kept,
    told: RefCell<Vec<Progress>>,
}

impl Lab {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let kept = Kept::new(&root.path().join("state"), "alice", true);
        std::fs::create_dir_all(root.path().join("home/.claude/projects/-work")).unwrap();
        Self { root, kept, told: RefCell::default() }
    }

    fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    fn file(&self, number: u32) -> PathBuf {
        let name = format!("0d0a8f5e-0000-4000-8000-{number:012}.jsonl");
        self.home().join(".claude/projects/-work").join(name)
    }

    fn append(&self, number: u32, text: &str) {
        let mut file =
            std::fs::OpenOptions::new().create(true).append(true).open(self.file(number)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn read_until(&self, stops: &dyn Fn() -> bool) -> Result<Progress, SearchError> {
        let tells = |progress: &Progress| self.told.borrow_mut().push(progress.clone());
        Reader { kept: &self.kept, home: &self.home(), stops, tells: &tells }.read()
    }

    fn read(&self) {
        let progress = self.read_until(&|| false).unwrap();
        assert!(!progress.reading && progress.files == progress.of_files, "{progress:?}");
    }

    fn found(&self, typed: &str) -> usize {
        let index = Index::open(&self.kept.directory().unwrap()).unwrap();
        index.find(&query(typed).unwrap(), 10).unwrap().2
    }
}

fn said(text: &str) -> String {
    let line = serde_json::json!({
        "type": "user", "cwd": "/work", "message": {"role": "user", "content": text},
    });
    format!("{line}\n")
}

#[test]
fn what_was_appended_is_read_once_and_what_was_replaced_or_removed_leaves() {
    let lab = Lab::new();
    lab.append(1, &said("alpha one"));
    lab.append(2, &said("alpha two"));
    lab.read();
    assert_eq!((lab.found("alpha"), lab.found("one")), (2, 1));
    lab.append(1, &(said("alpha three") + &said("alpha four")[..20]));
    lab.read();
    assert_eq!((lab.found("alpha"), lab.found("four")), (3, 0));
    lab.append(1, &said("alpha four")[20..]);
    lab.read();
    assert_eq!((lab.found("alpha"), lab.found("four")), (4, 1));
    // Shorter, and another file under the same name, which is longer.
    std::fs::write(lab.file(1), said("beta")).unwrap();
    lab.read();
    assert_eq!((lab.found("alpha"), lab.found("beta")), (1, 1));
    std::fs::remove_file(lab.file(2)).unwrap();
    lab.append(2, &(said("gamma gamma gamma gamma") + &said("gamma")));
    lab.read();
    assert_eq!((lab.found("alpha"), lab.found("gamma")), (0, 2));
    // Written anew in place, with as many bytes.
    std::fs::write(lab.file(1), said("zeta")).unwrap();
    lab.read();
    assert_eq!((lab.found("beta"), lab.found("zeta")), (0, 1));
    std::fs::remove_file(lab.file(1)).unwrap();
    std::fs::remove_file(lab.file(2)).unwrap();
    lab.read();
    assert_eq!((lab.found("zeta"), lab.found("gamma")), (0, 0));
}

#[test]
fn reading_that_is_stopped_goes_on_where_it_was() {
    let lab = Lab::new();
    for number in 0..10 {
        lab.append(number, &said(&format!("alpha {number}")));
    }
    let left = Cell::new(25);
    let stops = || {
        left.set(left.get() - 1);
        left.get() < 0
    };
    let progress = lab.read_until(&stops).unwrap();
    let before = lab.found("alpha");
    assert!(progress.reading && (1..10).contains(&before), "{before} {progress:?}");
    lab.told.borrow_mut().clear();
    lab.read();
    assert_eq!(lab.found("alpha"), 10);
    assert!(lab.told.borrow()[0].files + 1 >= before, "{:?}", lab.told);
}

#[test]
fn hostile_transcripts_neither_hang_it_nor_lead_it_elsewhere() {
    let lab = Lab::new();
    let projects = lab.home().join(".claude/projects");
    let dir = Dir::open(&projects.join("-work")).unwrap();
    let name = |number: u32| lab.file(number).file_name().unwrap().to_str().unwrap().to_owned();
    let elsewhere = lab.root.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let secret = elsewhere.join(name(9));
    std::fs::write(&secret, said("secret")).unwrap();
    dir.write_link(&name(1), secret.as_os_str()).unwrap();
    let mode = rustix::fs::Mode::RWXU;
    rustix::fs::mknodat(dir.fd(), name(2), rustix::fs::FileType::Fifo, mode, 0).unwrap();
    std::fs::create_dir(lab.file(3)).unwrap();
    std::os::unix::fs::symlink(&elsewhere, projects.join("-link")).unwrap();
    // A line of 17 MiB, odd bytes, a file without an end of line, one of zeros, and nesting.
    lab.append(4, &(said(&"long ".repeat(3_600_000)) + &said("afterwards")));
    std::fs::write(lab.file(5), [&[0xff, 0xfe, 0, b'\n'][..], said("odd").as_bytes()].concat())
        .unwrap();
    lab.append(6, "\"type\":\"user\"");
    let zeros = std::fs::File::create(lab.file(7)).unwrap();
    zeros.set_len(64 << 20).unwrap();
    lab.append(8, &format!("{{\"type\":\"user\",\"message\":{}\n", "[".repeat(100_000)));
    lab.append(8, &said("nested"));
    lab.read();
    assert_eq!((lab.found("secret"), lab.found("long")), (0, 0));
    for word in ["afterwards", "odd", "nested"] {
        assert_eq!(lab.found(word), 1, "{word}");
    }
    lab.read();
    let told = lab.told.borrow();
    assert!(!told.last().unwrap().reading, "nothing is read twice: {told:?}");
}

#[test]
fn another_lobby_that_reads_is_left_alone() {
    let lab = Lab::new();
    lab.append(1, &said("alpha"));
    let dir = lab.kept.directory().unwrap();
    let held = locks::exclusive(&dir, LOCK, Duration::ZERO).unwrap();
    assert_eq!(lab.read_until(&|| false).unwrap(), Progress::default());
    drop(held);
    lab.read();
    assert_eq!(lab.found("alpha"), 1);
}
