//! The tmux commands a restore needs, as lines for control mode (pure). Arguments are typed by how tmux
//! treats them, so that nothing a user chose is ever expanded or taken for syntax.

use super::escape::{escape_format, quote, unvis};
use super::layout::Layout;
use super::panes::parse_version;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// One command, a line without its line feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    text: String,
    /// Whether other commands follow in the same text.
    pub(super) goes_on: bool,
}

/// A session id (`$1`), window id (`@1`) or pane id (`%1`) of a running server: the only targets
/// used here, since names match by prefix and by pattern (lesson 17).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// A session.
    Session(u32),
    /// A window.
    Window(u32),
    /// A pane.
    Pane(u32),
    /// The place of a window in a session.
    Index(u32, u32),
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Session(id) => write!(f, "${id}:"),
            Self::Window(id) => write!(f, "@{id}"),
            Self::Pane(id) => write!(f, "%{id}"),
            Self::Index(session, index) => write!(f, "${session}:{index}"),
        }
    }
}

/// What a new pane runs and where.
#[derive(Debug, Clone, Copy)]
pub struct Spawn<'a> {
    /// Working directory; it must exist, tmux silently takes another one otherwise.
    pub cwd: &'a OsStr,
    /// Program and arguments, executed without a shell: none (tmux's default) or at least two
    /// words, since tmux hands a single word to a shell.
    pub argv: &'a [Vec<u8>],
    /// The name of a new window that 3.3a to 3.6 are to have as it is.
    pub window_name: Option<&'a [u8]>,
    /// Variables of this pane alone, `NAME=value` each. A new session keeps those of its first pane: see
    /// [`unset_environment`].
    pub environment: &'a [Vec<u8>],
}

/// A command's name without its last letter, which tmux understands and users' `command-alias`
/// entries do not match.
pub(super) fn unaliased(name: &str) -> &str {
    let mut letters = name.chars();
    letters.next_back();
    letters.as_str()
}

impl Line {
    pub(super) fn new(command: &'static str) -> Self {
        let (name, flags) = command.split_at(command.find(' ').unwrap_or(command.len()));
        Self { text: [unaliased(name), flags].concat(), goes_on: false }
    }

    /// This command and then others, which do not run if it fails. Only its own reply counts.
    #[must_use]
    pub fn and_then(mut self, others: &[Line]) -> Self {
        for other in others {
            self.text.push_str(" ; ");
            self.text.push_str(&other.text);
            self.goes_on = true;
        }
        self
    }

    /// A fixed flag or word of ours.
    pub(super) fn word(mut self, word: &'static str) -> Self {
        self.text.push(' ');
        self.text.push_str(word);
        self
    }

    /// An argument that tmux takes as it is.
    pub(super) fn plain(mut self, argument: &[u8]) -> Self {
        self.text.push(' ');
        self.text.push_str(&quote(argument));
        self
    }

    /// An argument that tmux expands as a format, made to expand to itself.
    fn expanded(self, argument: &[u8]) -> Self {
        self.plain(&escape_format(argument))
    }

    fn target(self, target: Target) -> Self {
        self.word("-t").plain(target.to_string().as_bytes())
    }

    /// Variables of a new session's environment, `NAME=value` each.
    fn environment(self, variables: &[&[u8]]) -> Self {
        variables.iter().fold(self, |line, variable| line.word("-e").plain(variable))
    }

    /// The name of a new window, if it gets it at once.
    fn window_name(self, name: Option<&[u8]>) -> Self {
        name.into_iter().fold(self, |line, name| line.word("-n").expanded(name))
    }

    pub(super) fn spawn(self, spawn: Spawn<'_>) -> Self {
        debug_assert!(spawn.argv.len() != 1, "a single word would go to a shell");
        let variables = spawn.environment.iter();
        let line = variables.fold(self, |line, variable| line.word("-e").plain(variable));
        let line = line.word("-c").expanded(spawn.cwd.as_bytes());
        if spawn.argv.is_empty() {
            return line;
        }
        spawn.argv.iter().fold(line.word("--"), |line, word| line.plain(word))
    }

    /// Asks for ids to be printed.
    fn print(self, format: &'static str) -> Self {
        self.word("-P -F").plain(format.as_bytes())
    }

    /// The line as it is sent.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// What [`new_session`] and [`new_window`] print.
const IDS: &str = "#{session_id} #{window_id} #{window_index} #{pane_id}";

/// A new detached session. Replies with ids, see [`Ids::parse`].
pub fn new_session(
    name: &[u8],
    (width, height): (u32, u32),
    environment: &[&[u8]],
    spawn: Spawn<'_>,
) -> Line {
    let line = Line::new("new-session -d").print(IDS).word("-s").expanded(name);
    let line = line.environment(environment).window_name(spawn.window_name);
    let line = line.word("-x").plain(width.to_string().as_bytes());
    line.word("-y").plain(height.to_string().as_bytes()).spawn(spawn)
}

/// Keeps a session of ours, by its target, while no client shows it.
pub fn keep_unattached(own: &str) -> Line {
    let line = Line::new("set-option -t").plain(own.as_bytes());
    line.word("destroy-unattached off")
}

/// A new session that shares the windows of another (a session group).
pub fn new_grouped_session(
    name: &[u8],
    with: u32,
    directory: Option<&[u8]>,
    environment: &[&[u8]],
) -> Line {
    let line = Line::new("new-session -d").print(IDS).word("-s").expanded(name);
    let line = directory.into_iter().fold(line, |line, path| line.word("-c").expanded(path));
    line.environment(environment).target(Target::Session(with))
}

/// Removes a variable from a session's environment: later panes do not get it.
pub fn unset_environment(session: u32, name: &'static str) -> Line {
    Line::new("set-environment -u").target(Target::Session(session)).word(name)
}

/// Names a session.
pub fn rename_session(session: u32, name: &[u8]) -> Line {
    Line::new("rename-session").target(Target::Session(session)).word("--").expanded(name)
}

/// A new window at an index of a session. Replies with ids, see [`Ids::parse`].
pub fn new_window(session: u32, index: u32, spawn: Spawn<'_>) -> Line {
    let line = Line::new("new-window -d").print(IDS).window_name(spawn.window_name);
    line.target(Target::Index(session, index)).spawn(spawn)
}

/// Names a window, and so ends its automatic renaming.
///
/// Not by `-n` of the commands that make one, unless it had it from there: 3.3a to 3.6 store that name as it
/// is and every other one escaped (measured).
pub fn rename_window(window: u32, name: &[u8]) -> Line {
    Line::new("rename-window").target(Target::Window(window)).word("--").expanded(name)
}

/// A new pane directly after `pane` in index order. Replies with its id.
pub fn split_window(pane: u32, spawn: Spawn<'_>) -> Line {
    Line::new("split-window -d").print("#{pane_id}").target(Target::Pane(pane)).spawn(spawn)
}

/// Starts another program in a pane, which keeps its id; what ran there is ended.
pub fn respawn_pane(pane: u32, spawn: Spawn<'_>) -> Line {
    Line::new("respawn-pane -k").target(Target::Pane(pane)).spawn(spawn)
}

/// Marks a pane with the conversation that a restore resumed in it.
pub fn mark_restored(pane: u32, conversation: &[u8]) -> Line {
    let line = Line::new("set-option -p").target(Target::Pane(pane));
    line.word("@persist-restored").plain(conversation)
}

/// Marks a pane with the directory that it could not be started in; without one, takes the mark away.
pub fn mark_directory(pane: u32, directory: Option<&[u8]>) -> Line {
    const MARK: &str = "@persist-directory";
    match directory {
        Some(directory) => {
            Line::new("set-option -p").target(Target::Pane(pane)).word(MARK).plain(directory)
        }
        None => Line::new("set-option -p -u").target(Target::Pane(pane)).word(MARK),
    }
}

/// Marks a session with what it was made of by a restore: in a hidden variable of its environment,
/// which no process gets and no list shows.
pub fn mark_origin(session: u32, origin: &[u8]) -> Line {
    let line = Line::new("set-environment -h").target(Target::Session(session));
    line.word("TMUX_PERSIST_ORIGIN").plain(origin)
}

/// Gives all panes of a window room: without it small windows have none for the next split.
pub fn tile(window: u32) -> Line {
    Line::new("select-layout").target(Target::Window(window)).word("tiled")
}

/// Applies a layout; only one that has been parsed in full can be named here.
pub fn select_layout(window: u32, layout: &Layout) -> Line {
    let text = layout.to_string();
    Line::new("select-layout").target(Target::Window(window)).plain(text.as_bytes())
}

/// Gives a window a size, and leaves what decides on it to the user's configuration again.
pub fn resize_window(window: u32, (width, height): (u32, u32)) -> [Line; 2] {
    let line = Line::new("resize-window").target(Target::Window(window));
    let line = line.word("-x").plain(width.to_string().as_bytes());
    let line = line.word("-y").plain(height.to_string().as_bytes());
    [line, unset_window_option(window, "window-size")]
}

/// Makes a pane its window's active one.
pub fn select_pane(pane: u32) -> Line {
    Line::new("select-pane").target(Target::Pane(pane))
}

/// Sets a pane's title.
pub fn set_title(pane: u32, title: &[u8]) -> Line {
    Line::new("select-pane").target(Target::Pane(pane)).word("-T").expanded(title)
}

/// Zooms a pane.
pub fn zoom(pane: u32) -> Line {
    Line::new("resize-pane -Z").target(Target::Pane(pane))
}

/// Makes a window its session's current one.
pub fn select_window(session: u32, index: u32) -> Line {
    Line::new("select-window").target(Target::Index(session, index))
}

/// Moves a window to another index of its session.
pub fn move_window(session: u32, window: u32, index: u32) -> Line {
    let source = Target::Window(window).to_string();
    Line::new("move-window -d -s").plain(source.as_bytes()).target(Target::Index(session, index))
}

/// Sets the size that windows of a session get while no client shows it.
pub fn set_default_size(session: u32, (width, height): (u32, u32)) -> Line {
    let size = format!("{width}x{height}");
    Line::new("set-option")
        .target(Target::Session(session))
        .word("default-size")
        .plain(size.as_bytes())
}

/// Leaves a session option to the user's configuration again.
pub fn unset_option(session: u32, option: &'static str) -> Line {
    Line::new("set-option -u").target(Target::Session(session)).word(option)
}

/// Sets a session option to one of our own words.
pub fn set_option(session: u32, option: &'static str, value: &'static str) -> Line {
    Line::new("set-option").target(Target::Session(session)).word(option).word(value)
}

/// Sets an option that is kept: `flag` is `-w`, `-p`, or empty for a session's.
pub fn set_kept(target: Target, flag: &'static str, name: &'static str, value: &str) -> Line {
    let line = Line::new("set-option");
    let line = if flag.is_empty() { line } else { line.word(flag) };
    line.target(target).word(name).plain(value.as_bytes())
}

/// Sets an option that a user had set: `flag` as for [`set_kept`]. The value is not expanded.
pub fn set_user_option(target: Target, flag: &'static str, name: &[u8], value: &[u8]) -> Line {
    let line = Line::new("set-option");
    let line = if flag.is_empty() { line } else { line.word(flag) };
    line.target(target).plain(name).plain(value)
}

/// Leaves a window option to the user's configuration again.
pub fn unset_window_option(window: u32, option: &'static str) -> Line {
    Line::new("set-option -w -u").target(Target::Window(window)).word(option)
}

/// Shows a window in a session, too.
pub fn link_window(window: u32, session: u32, index: u32) -> Line {
    let source = Target::Window(window).to_string();
    Line::new("link-window -d -s").plain(source.as_bytes()).target(Target::Index(session, index))
}

/// Ends a window.
pub fn kill_window(window: u32) -> Line {
    Line::new("kill-window").target(Target::Window(window))
}

/// Lists the names and groups of all sessions, two lines each, as tmux stores them.
pub fn list_names() -> Line {
    Line::new("list-sessions -F").plain(b"#{session_name}\n#{session_group}")
}

/// Lists all sessions, a line each, see [`parse_session`].
pub fn list_sessions() -> Line {
    Line::new("list-sessions -F").plain(b"#{session_id} #{session_attached} #{session_name}")
}

/// Reads a line of the reply of [`list_sessions`]: id, whether a client shows it, and name.
pub fn parse_session(line: &str) -> Option<(u32, bool, Vec<u8>)> {
    let fields: Vec<&str> = line.splitn(3, ' ').collect();
    let [id, attached, name] = fields[..] else { return None };
    Some((id.strip_prefix('$')?.parse().ok()?, attached != "0", unvis(name.as_bytes())))
}

/// Ends the session of that name, one of ours.
pub fn kill_own_session(name: &str) -> Line {
    Line::new("kill-session").word("-t").plain(format!("={name}").as_bytes())
}

/// Ends a session.
pub fn kill_session(session: u32) -> Line {
    Line::new("kill-session").target(Target::Session(session))
}

/// Lists where each pane is, a line each, see [`Place::parse`].
pub fn list_places() -> Line {
    Line::new("list-panes -a -F").plain(
        b"#{pane_id} #{?pane_dead,1,0} #{session_id} #{window_index} #{window_panes} \
        #{window_layout}",
    )
}

/// Where a pane is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub pane: u32,
    /// Whether its program has ended.
    pub dead: bool,
    pub session: u32,
    pub window_index: u32,
    /// How many panes its window has.
    pub panes: usize,
    /// The layout of its window, unverified.
    pub layout: String,
}

impl Place {
    /// Reads a line of the reply of [`list_places`].
    pub fn parse(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.splitn(6, ' ').collect();
        let [pane, dead, session, window_index, panes, layout] = fields[..] else { return None };
        Some(Self {
            pane: parse_pane(pane)?,
            dead: dead == "1",
            session: session.strip_prefix('$')?.parse().ok()?,
            window_index: window_index.parse().ok()?,
            panes: panes.parse().ok()?,
            layout: layout.to_owned(),
        })
    }
}

/// Asks about the session of that name, ours, see [`parse_description`]. By its exact name: what
/// tmux takes for the current session is not always the client's own.
pub fn describe_client(name: &str) -> Line {
    let format = b"#{session_id} #{?automatic-rename,1,0} #{version} #{session_name}";
    let line = Line::new("display-message -p").word("-t").plain(format!("={name}:").as_bytes());
    line.plain(format)
}

/// Asks for the global value of a session option.
pub fn show_global(option: &'static str) -> Line {
    Line::new("show-options -gqv").word(option)
}

/// Asks for the value of a server option.
pub fn show_server(option: &'static str) -> Line {
    Line::new("show-options -sqv").word(option)
}

/// Reads the reply of [`describe_client`]: the session's id, whether `automatic-rename` is on, and the
/// server's version; `None` unless the session is called `name`.
pub fn parse_description(reply: &str, name: &str) -> Option<(u32, bool, (u32, u32))> {
    let fields: Vec<&str> = reply.splitn(4, ' ').collect();
    let [session, renames, version, called] = fields[..] else { return None };
    let id = session.strip_prefix('$')?.parse().ok()?;
    (called == name).then_some((id, renames == "1", parse_version(version)))
}

/// Turns `exit-unattached` off until a client attaches to the server, which turns it on again.
pub fn postpone_exit_unattached() -> [Line; 2] {
    const HOOK: &str = "client-attached[7042]";
    let again = format!("set-option -s exit-unattached on ; set-hook -gu {HOOK}");
    [
        Line::new("set-hook -g").word(HOOK).plain(again.as_bytes()),
        Line::new("set-option -s exit-unattached off"),
    ]
}

/// The ids of a session's or window's first pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ids {
    /// Session id.
    pub session: u32,
    /// Window id.
    pub window: u32,
    /// Where the window is.
    pub index: u32,
    /// Pane id.
    pub pane: u32,
}

impl Ids {
    /// Reads the reply of [`new_session`] and [`new_window`].
    pub fn parse(reply: &str) -> Option<Self> {
        let fields: Vec<&str> = reply.split(' ').collect();
        let [session, window, index, pane] = fields[..] else { return None };
        Some(Self {
            session: session.strip_prefix('$')?.parse().ok()?,
            window: window.strip_prefix('@')?.parse().ok()?,
            index: index.parse().ok()?,
            pane: parse_pane(pane)?,
        })
    }
}

/// Reads the reply of [`split_window`].
pub fn parse_pane(reply: &str) -> Option<u32> {
    reply.strip_prefix('%')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_stays_one_argument_and_expands_to_itself() {
        let argv = [b"sh".to_vec(), b"-c; kill-server".to_vec()];
        let environment = [b"B=;".to_vec()];
        let cwd = OsStr::new("/tmp/#(touch x)");
        let spawn = Spawn { cwd, argv: &argv, environment: &environment, window_name: None };
        let line = new_session(b"-a;$b\n#(x)", (80, 24), &[b"A=#(x)"], spawn);
        assert_eq!(
            line.as_str(),
            "new-sessio -d -P -F \"\\043\\173session\\137id\\175".to_owned().replace("\\137", "_")
                + " \\043\\173window_id\\175 \\043\\173window_index\\175 \\043\\173pane_id\\175\""
                + " -s \"-a\\073\\044b\\012\\043\\043\\050x\\051\" -e \"A=\\043\\050x\\051\" -x \"80\" -y \"24\""
                + " -e \"B=\\073\" -c \"/tmp/\\043\\043\\050touch x\\051\" -- \"sh\" \"-c\\073 kill-server\""
        );
    }

    #[test]
    fn ids_are_read_and_anything_else_is_not() {
        let ids = Ids { session: 1, window: 2, index: 0, pane: 3 };
        assert_eq!(Ids::parse("$1 @2 0 %3"), Some(ids));
        for reply in ["", "$1 @2 0", "1 2 0 3", "$1 @2 0 %x"] {
            assert_eq!(Ids::parse(reply), None, "{reply}");
        }
    }
}
