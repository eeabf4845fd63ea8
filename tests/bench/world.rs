//! Servers full of sessions: agents below shells, or shells alone.

use crate::support::{Sandbox, sandbox, wait_for, wait_until};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// The machine in one line.
pub(crate) fn machine() -> String {
    let ask = |argv: &[&str]| {
        let output = Command::new(argv[0]).args(&argv[1..]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let kernel = ask(&["uname", "-r"]);
    // A busy machine shows here: of its figures only the ratios mean something.
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    format!("{cores} cores, Linux {kernel}, {}, load {load}", ask(&["tmux", "-V"]))
}

/// Runs a command to its end, without the pause that the tests' own runner makes between looks.
#[track_caller]
pub(crate) fn finish(command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}: {said}", output.status);
    output
}

/// A tmux client in control mode, on a server that it starts.
pub(crate) struct Control {
    client: Child,
    replies: BufReader<std::process::ChildStdout>,
}

impl Control {
    /// Starts a server with one session, `boot`.
    pub(crate) fn start(sandbox: &Sandbox, tmpdir: &Path) -> Self {
        let mut command = sandbox.command("tmux");
        command.env("TMUX_TMPDIR", tmpdir).args(["-u", "-f", "/dev/null", "-C"]);
        command.args(["new-session", "-s", "boot", "--", "cat", "-"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut client = command.spawn().unwrap();
        let replies = BufReader::new(client.stdout.take().unwrap());
        Self { client, replies }
    }

    /// Sends commands in one go, one a line, and waits until all are answered.
    pub(crate) fn send(&mut self, lines: &[String]) {
        let mut text = lines.join("\n");
        text.push('\n');
        // The answers are small and wait in their pipe meanwhile.
        self.client.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
        let mut answered = 0;
        let mut line = String::new();
        while answered < lines.len() {
            line.clear();
            assert!(self.replies.read_line(&mut line).unwrap() > 0, "the server went away");
            assert!(!line.starts_with("%error"), "the server refused a command");
            answered += usize::from(line.starts_with("%end ") && line.ends_with(" 1\n"));
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        drop(self.client.stdin.take()); // hangs up
        let _ = self.client.wait();
    }
}

/// The command that makes the `n`th session, running what follows it.
pub(crate) fn new_session(n: usize, cwd: &Path, program: &str) -> String {
    format!("new-session -d -s s{n} -x 80 -y 24 -c {} {program}", cwd.display())
}

/// The processes of the panes, in the order of the sessions.
pub(crate) fn pane_pids(sandbox: &Sandbox, tmpdir: &Path) -> Vec<i32> {
    let mut command = sandbox.command("tmux");
    command.env("TMUX_TMPDIR", tmpdir).args(["list-panes", "-a", "-F", "#{pane_pid}"]);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().map(|pid| pid.parse().unwrap()).collect()
}

/// Ends a server with all that runs in it, and waits until it is gone.
pub(crate) fn end(sandbox: &Sandbox, tmpdir: &Path) {
    let mut command = sandbox.command("tmux");
    command.env("TMUX_TMPDIR", tmpdir).args(["display-message", "-p", "#{pid}"]);
    let server = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let mut pids = pane_pids(sandbox, tmpdir);
    for &pid in &pids {
        sandbox::kill_tree(pid);
    }
    if let Ok(server) = server.trim().parse() {
        sandbox::kill(server);
        pids.push(server);
    }
    wait_until("the server and its panes are gone", || {
        pids.iter().all(|pid| !Path::new(&format!("/proc/{pid}")).exists())
    });
}

/// Fills the sandbox's own server with sessions of a stub agent below a shell, of which nothing
/// tells a conversation. Gives the pids of each shell and its agent.
pub(crate) fn agents_without_ids(sandbox: &Sandbox, sessions: usize) -> Vec<(i32, i32)> {
    let stub = sandbox.root().join("claude");
    std::os::unix::fs::symlink("/bin/sleep", &stub).unwrap();
    let program = format!("\"{} 100000; exec sh\"", stub.display());
    let work = sandbox.work();
    let mut control = Control::start(sandbox, &sandbox.root().join("tmux"));
    control.send(&(0..sessions).map(|n| new_session(n, &work, &program)).collect::<Vec<_>>());
    control.send(&["kill-session -t =boot".to_owned()]);
    let shells = pane_pids(sandbox, &sandbox.root().join("tmux")).into_iter();
    let with_agent = |shell| {
        let agent = wait_for("an agent below its shell", || {
            let child = sandbox::children(shell).first().copied()?;
            let argv = std::fs::read_to_string(format!("/proc/{child}/cmdline")).ok()?;
            argv.starts_with(stub.to_str()?).then_some(child)
        });
        (shell, agent)
    };
    shells.map(with_agent).collect()
}

/// The same, each agent with a live record and a transcript, all in one directory. Gives the pids
/// of shells and agents.
pub(crate) fn agents(sandbox: &Sandbox, sessions: usize) -> Vec<i32> {
    let work = sandbox.work();
    let records = sandbox.home().join(".claude/sessions");
    std::fs::create_dir_all(&records).unwrap();
    let mut pids = Vec::new();
    for (n, (shell, agent)) in agents_without_ids(sandbox, sessions).into_iter().enumerate() {
        let id = crate::support::stub_agent::id(u32::try_from(n).unwrap());
        let stat = std::fs::read_to_string(format!("/proc/{agent}/stat")).unwrap();
        // Fields are counted after the name, which is field 2.
        let started = stat.rsplit(')').next().unwrap().split_whitespace().nth(19).unwrap();
        let record = format!(
            r#"{{"pid":{agent},"sessionId":"{id}","cwd":"{}","startedAt":1795185823000,"procStart":"{started}","version":"2.1.197","entrypoint":"cli","kind":"interactive"}}"#,
            work.display()
        );
        std::fs::write(records.join(format!("{agent}.json")), record).unwrap();
        sandbox.prompt(&id);
        pids.extend([shell, agent]);
    }
    pids
}
