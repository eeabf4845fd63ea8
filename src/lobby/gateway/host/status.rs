//! `lobby status`: how the gateway does, and whose browsers are logged in.

use super::ask::ask;
use super::protocol::{Ask, Said, Status, User};
use crate::args::HostArgs;
use crate::gateway::settings;
use terminal_lobby::cli::exit::Failure;
use terminal_lobby::cli::output;
use terminal_lobby::cli::persist::args::Common;
use terminal_lobby::sys::clock::{self, Epoch};
use terminal_lobby::text::escape;
use terminal_lobby::text::table::{align, count};
use terminal_lobby::text::time::ago;

/// Prints the status.
pub(crate) fn run(common: &Common, args: &HostArgs) -> Result<(), Failure> {
    let socket = settings::link_socket(&args.file)?;
    let Said::Status(status) = ask(&socket, Ask::Status)? else {
        return Err(Failure::failed("the lobby answered something else"));
    };
    if common.json {
        return output::print(&format!("{}\n", serde_json::json!(status)));
    }
    output::print(&text(&status, clock::now()))
}

fn text(status: &Status, now: Epoch) -> String {
    let plain = |text: &str| escape(text.as_bytes());
    let mut text = format!(
        "{} (mode {}), lobby {}, started {}\n",
        plain(&status.url),
        plain(&status.mode),
        plain(&status.version),
        ago(now.saturating_sub(status.started)),
    );
    if let Some(connections) = status.connections {
        let connections = usize::try_from(connections).unwrap_or(0);
        text += &count(connections, "connection");
        text.push('\n');
    }
    if let Some(error) = &status.user_map_error {
        text += "the user map cannot be read: ";
        text += &plain(error);
        text.push('\n');
    }
    let mut rows = vec![["USER", "AGENT", "VIEWS", "LOGINS"].map(str::to_owned)];
    rows.extend(status.users.iter().map(|user| {
        let agent = match user.agent_seen {
            Some(seen) => format!("{}, {}", plain(&user.agent), ago(now.saturating_sub(seen))),
            None => plain(&user.agent),
        };
        let name = if user.is_admin { format!("{} (admin)", user.name) } else { user.name.clone() };
        [plain(&name), agent, user.views.to_string(), user.logins.len().to_string()]
    }));
    text += &align(&rows);
    let has_logins = |user: &&User| !user.logins.is_empty();
    if status.users.iter().any(|user| has_logins(&user)) {
        let mut rows = vec![["USER", "DEVICE", "LAST USED", "SINCE"].map(str::to_owned)];
        for user in status.users.iter().filter(has_logins) {
            rows.extend(user.logins.iter().map(|login| {
                let when = |time: Epoch| ago(now.saturating_sub(time));
                [plain(&user.name), plain(&login.device), when(login.used), when(login.created)]
            }));
        }
        text.push('\n');
        text += &align(&rows);
    }
    text
}
