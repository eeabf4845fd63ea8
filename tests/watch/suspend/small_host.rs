//! Forty agents fill a small host: a control group with a limit, in which tasks really wait for memory, and of whose
//! size a `meminfo` speaks that this test writes. A watch sees both.

use super::{next_second, set_up};
use crate::support::lacks::lacks;
use crate::support::memory_group::{MemoryGroup, NEEDS, waited};
use crate::support::set_up::SetUp;
use crate::support::{sandbox, wait_for, wait_until};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const SESSIONS: usize = 40;
/// Those from here on were used after the others, and those from there on work.
const USED: usize = 24;
const WORKING: usize = 32;

fn name(n: usize) -> String {
    format!("s{n:02}")
}

/// The memory of each agent, in MiB: what is asked for, or what this machine has.
fn memory_of_each() -> u64 {
    let asked = std::env::var("TL_STUB_MEMORY").map_or(10, |text| text.parse().unwrap());
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap();
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:")).unwrap();
    let available: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    let fits = (available >> 10) * 2 / 3 / u64::try_from(SESSIONS).unwrap();
    if fits < asked {
        eprintln!("this machine has memory for agents of {fits} MiB, not {asked} MiB");
    }
    asked.min(fits)
}

/// Writes how much of a host's memory is available, until that is over.
fn write_meminfo(file: &Path, group: &MemoryGroup, total: u64, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        let available = total.saturating_sub(group.taken());
        let (total, available) = (total >> 10, available >> 10);
        let text = format!("MemTotal: {total} kB\nMemAvailable: {available} kB\n");
        let new = file.with_extension("new");
        std::fs::write(&new, text).unwrap();
        std::fs::rename(&new, file).unwrap();
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A watch, which is killed as it is dropped.
struct Watch(Child);

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn watch(set_up: &SetUp, root: &Path) -> Watch {
    let mut command = set_up.persist_command("watch --quiet");
    command.arg("--root").arg(root);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let watch = Watch(command.spawn().unwrap());
    let watched = set_up.sandbox.user_state().join("watched.tsv");
    wait_until("all agents are watched", || {
        let text = std::fs::read_to_string(&watched).unwrap_or_default();
        text.lines().filter(|line| line.starts_with("agent\t")).count() == SESSIONS
    });
    watch
}

/// The sessions whose agents have ended.
fn suspended(agents: &[i32]) -> Vec<usize> {
    (0..agents.len()).filter(|&n| sandbox::ended(agents[n])).collect()
}

/// Waits until nobody waits for memory any more: less than a twentieth of a second in one.
fn wait_until_nobody_waits() {
    let end = Instant::now() + Duration::from_mins(1);
    loop {
        let before = waited();
        std::thread::sleep(Duration::from_secs(1));
        let more = waited() - before;
        if more < 50_000 {
            return;
        }
        assert!(Instant::now() < end, "tasks still wait for memory: {more} us in a second");
    }
}

#[test]
fn those_idle_for_longest_are_suspended_until_nobody_waits_for_memory_and_come_back() {
    let Some(group) = MemoryGroup::new() else {
        let test =
            "those_idle_for_longest_are_suspended_until_nobody_waits_for_memory_and_come_back";
        return lacks(&format!("watch::suspend::small_host::{test}"), NEEDS);
    };
    let each = memory_of_each();
    let mut set_up = set_up();
    let settings = "save_on_change = false\n[suspend]\nafter = \"72h\"\nunder_pressure = \"0s\"\n";
    set_up.sandbox.configure(settings);
    set_up.set("STUB_MEMORY", &each.to_string());
    set_up.t("new-session -d -s shell sleep 1000");
    group.add(set_up.sandbox.server_pid().unwrap());
    for n in 0..SESSIONS {
        set_up.t(&format!("new-session -d -s {} claude", name(n)));
        // They take their memory one after the other, as people start them.
        set_up.wait_for_starts(n + 1);
    }
    let ids: Vec<String> = (0..SESSIONS).map(|n| set_up.conversation_shown(&name(n))).collect();
    let noted = set_up.conversations();
    let pid = |id: &String| noted.iter().find(|one| one.conversation == *id).unwrap().pid;
    let agents: Vec<i32> = ids.iter().map(pid).collect();
    next_second();
    for n in USED..SESSIONS {
        set_up.tell(&name(n), if n < WORKING { "more" } else { "/status busy" });
    }
    set_up.persist("save").ok();

    // 93 % of the small host is taken, so a file of a tenth of it has no place.
    let total = group.taken() / 93 * 100;
    group.limit(total);
    let dir = set_up.sandbox.work();
    group.make_file(&dir, total / 10);
    let root = set_up.sandbox.root().join("root");
    std::fs::create_dir_all(root.join("proc/pressure")).unwrap();
    std::os::unix::fs::symlink("/proc/pressure/memory", root.join("proc/pressure/memory")).unwrap();
    let over = AtomicBool::new(false);
    let file = root.join("proc/meminfo");
    std::thread::scope(|scope| {
        scope.spawn(|| write_meminfo(&file, &group, total, &over));
        wait_until("meminfo is there", || file.exists());
        let watch = watch(&set_up, &root);
        let begin = Instant::now();
        let readers = group.read(&dir);
        let first = wait_for("one is suspended", || {
            (!suspended(&agents).is_empty()).then(|| begin.elapsed())
        });
        wait_until_nobody_waits();
        let took = begin.elapsed();
        let there = suspended(&agents).len();
        eprintln!(
            "of {SESSIONS} agents of {each} MiB {there} were suspended: \
             the first after {first:?}, nobody waits after {took:?}"
        );
        // The watch looks again a minute after the kernel's notice.
        if each >= 100 {
            std::thread::sleep(Duration::from_secs(70));
        }
        assert_eq!(suspended(&agents).len(), there, "it went on after the pressure");
        drop(readers);
        drop(watch);
        over.store(true, Ordering::Relaxed);
    });

    let gave = suspended(&agents);
    assert!((2..=8).contains(&gave.len()), "{gave:?}");
    assert!(gave.iter().all(|&n| n < USED), "others were idle for longer: {gave:?}");
    assert_eq!(group.kills(), 0);
    // The host has memory again.
    group.limit(total * 2);
    for &n in &gave {
        set_up.wait_until_suspended(&name(n));
        set_up.t(&format!("send-keys -t {} Enter", name(n)));
    }
    set_up.wait_for_starts(SESSIONS + gave.len());
    for (n, id) in ids.iter().enumerate() {
        assert_eq!(set_up.conversation_shown(&name(n)), *id, "{n}");
    }
    set_up.crash();
}
