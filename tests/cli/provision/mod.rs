//! `provision` as an administrator meets it.

mod membership;
mod roster;
mod servers;
mod tls;

use crate::support::{Run, Sandbox, run};
use std::path::PathBuf;

const ROSTER: &str = "\
users:
  tl-ops:     {authentik_user: ops.lead,  k8s_user: ops,  tier: admin}
  tl-reader:  {authentik_user: reader.ro, k8s_user: ro,   tier: power-user}
  tl-builder: {authentik_user: builder42, k8s_user: bld,  tier: namespace-owner, namespaces: [builds],
            code_layout: workspace, repos: [webapp], parked: false}
";

/// A directory with files, where `provision` runs.
struct Desk {
    sandbox: Sandbox,
}

impl Desk {
    /// With the example as `roster.yaml`.
    fn new() -> Self {
        let desk = Self { sandbox: Sandbox::new() };
        desk.write("roster.yaml", ROSTER);
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.sandbox.root().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Runs `provision` with words parted by spaces; files are named from the desk.
    #[track_caller]
    fn run(&self, words: &str) -> Run {
        self.args(&words.split(' ').collect::<Vec<_>>())
    }

    #[track_caller]
    fn args(&self, args: &[&str]) -> Run {
        run(self.sandbox.command(env!("CARGO_BIN_EXE_provision")).args(args))
    }

    /// A token's file that nobody else can read.
    fn token(&self) {
        use std::os::unix::fs::PermissionsExt;
        self.write("token", "sesame-7f3a\n");
        let private = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(self.path("token"), private).unwrap();
    }
}
