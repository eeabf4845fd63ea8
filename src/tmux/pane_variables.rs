//! The pane that a process runs in, as tmux says in the variables `TMUX` and `TMUX_PANE` (pure).

use std::ffi::OsStr;
use std::path::PathBuf;

/// The pane that a process runs in. Its variables may be forged, and the pane may be gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerPane {
    /// The server's socket, an absolute path.
    pub socket: PathBuf,
    /// The server's process id.
    pub server: i32,
    /// The pane, the number after `%`.
    pub id: u32,
}

impl CallerPane {
    /// Reads `TMUX`, which is `socket,server,session`, and `TMUX_PANE`. The socket's path may hold
    /// commas.
    pub fn parse(tmux: Option<&OsStr>, pane: Option<&OsStr>) -> Option<Self> {
        let mut fields = tmux?.to_str()?.rsplitn(3, ',').skip(1);
        let server = fields.next()?.parse().ok()?;
        let socket = fields.next().map(PathBuf::from).filter(|path| path.is_absolute())?;
        Some(Self { socket, server, id: pane?.to_str()?.strip_prefix('%')?.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pane_is_named_by_both_variables_or_not_at_all() {
        let parse = |tmux: &str, pane: &str| {
            CallerPane::parse(Some(OsStr::new(tmux)), Some(OsStr::new(pane)))
        };
        let expected = CallerPane { socket: "/tmp/a,b/x".into(), server: 77, id: 5 };
        assert_eq!(parse("/tmp/a,b/x,77,0", "%5"), Some(expected));
        for (tmux, pane) in
            [("", "%5"), ("x,77,0", "%5"), ("/x,y,0", "%5"), ("/x,77,0", "5"), ("/x", "%5")]
        {
            assert_eq!(parse(tmux, pane), None, "{tmux} {pane}");
        }
        assert_eq!(CallerPane::parse(None, Some(OsStr::new("%3"))), None);
    }
}
