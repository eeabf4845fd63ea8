//! What agents start beside their panes: daemons, and conversations in the background.

use crate::support::sandbox::{ended, kill};
use crate::support::{AgentLab, wait_until};

/// The processes of a lab that are in no pane, which die with it.
pub(super) struct Strays<'a>(pub(super) &'a AgentLab);

impl Strays<'_> {
    /// Kills all that runs, as a crash of the host does.
    pub(super) fn crash(&self) {
        self.0.sandbox.crash();
        // One may start another while it dies.
        wait_until("nothing is left in the background", || {
            let left = self.processes();
            for pid in &left {
                kill(*pid);
            }
            left.is_empty()
        });
    }

    /// By their home, which is that of this lab alone; those of its API excepted.
    fn processes(&self) -> Vec<i32> {
        let home = format!("HOME={}\0", self.0.sandbox.home().display());
        let has = |pid: i32, file: &str, text: &str| {
            let bytes = std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
            memchr::memmem::find(&bytes, text.as_bytes()).is_some()
        };
        let all = std::fs::read_dir("/proc")
            .unwrap()
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
        all.filter(|&pid| {
            !ended(pid) && has(pid, "environ", &home) && !has(pid, "cmdline", "mock_agent_api")
        })
        .collect()
    }
}

impl Drop for Strays<'_> {
    fn drop(&mut self) {
        self.processes().iter().for_each(|pid| kill(*pid));
    }
}
