//! The gateway's side of the link socket.

use super::protocol::{Ask, Link, Login, MAX_ASK, Said, Status, User};
use crate::gateway::error::GatewayError;
use crate::gateway::login::logins::LINK_SECONDS;
use crate::gateway::people::Known;
use crate::gateway::relay::agents;
use crate::gateway::settings::Mode;
use crate::gateway::state::Gateway;
use std::sync::Arc;
use std::time::Duration;
use terminal_lobby::sys::{accounts, clock};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// How many may ask at once.
const AT_ONCE: usize = 32;
/// How long one may take.
const DEADLINE: Duration = Duration::from_secs(20);
/// How long a question may take.
const ASKING: Duration = Duration::from_secs(2);

/// Answers for good.
pub(crate) async fn serve(gateway: Gateway, socket: UnixListener) -> Result<(), GatewayError> {
    let slots = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return Ok(()) };
        match socket.accept().await {
            Ok((stream, _)) => {
                let gateway = gateway.clone();
                tokio::spawn(async move {
                    let _slot = slot;
                    if timeout(DEADLINE, answer(&gateway, stream)).await.is_err() {
                        tracing::debug!("a question on the link socket took too long");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the link socket failed");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn answer(gateway: &Gateway, mut stream: UnixStream) {
    let Ok(uid) = stream.peer_cred().map(|cred| cred.uid()) else { return };
    let (reader, mut writer) = stream.split();
    let mut line = String::new();
    let mut reader = BufReader::new(reader.take(MAX_ASK));
    if !matches!(timeout(ASKING, reader.read_line(&mut line)).await, Ok(Ok(_))) {
        return;
    }
    let said = match serde_json::from_str(&line) {
        Ok(Ask::Link) => link(gateway, uid).await,
        Ok(Ask::Status) => status(gateway, uid).await,
        Err(_) => refused("this is no question of lobby's"),
    };
    let mut bytes = serde_json::to_vec(&said).unwrap_or_default();
    bytes.push(b'\n');
    if let Err(error) = writer.write_all(&bytes).await {
        tracing::debug!(%error, "an answer on the link socket was not taken");
    }
}

fn refused(why: &str) -> Said {
    Said::Refused { refused: why.to_owned() }
}

/// The name of an account. The database of users may be slow.
async fn name_of(uid: u32) -> Option<String> {
    let name = tokio::task::spawn_blocking(move || accounts::name_of(uid)).await;
    name.ok()?.ok().flatten()
}

async fn link(gateway: &Gateway, uid: u32) -> Said {
    if gateway.settings.mode != Mode::Link {
        return refused("links are not used here: log in on the page");
    }
    let known = gateway.people.now();
    if let Some(why) = &known.unreadable {
        return refused(&format!("the user map cannot be read: {why}"));
    }
    let Some(user) = name_of(uid).await.filter(|user| known.is_user(user)) else {
        gateway.metrics.login("refused");
        return refused("this account is not one of the lobby's users");
    };
    let secret = gateway.logins.new_link(&user, clock::now());
    let url = format!("{}/#{secret}", gateway.settings.site.origin());
    Said::Link(Link { url, seconds: LINK_SECONDS })
}

async fn status(gateway: &Gateway, uid: u32) -> Said {
    let known = gateway.people.now();
    let sees_all = uid == 0 || uid == rustix::process::geteuid().as_raw();
    let (users, connections) = if sees_all {
        let views = gateway.open.views();
        let user = |user: &str| user_of(gateway, &known, user, views.get(user).copied());
        (known.users().map(user).collect(), Some(gateway.metrics.connections.get()))
    } else {
        let Some(user) = name_of(uid).await.filter(|user| known.is_user(user)) else {
            return refused("this account is not one of the lobby's users");
        };
        // Only the own agent is asked: asking starts it.
        let asked =
            agents::connect(&gateway.settings.agents, &user, gateway.settings.limits.agent()).await;
        gateway.agents_seen.note(&user, asked.err());
        let views = gateway.open.views().get(&user).copied();
        (vec![user_of(gateway, &known, &user, views)], None)
    };
    Said::Status(Box::new(Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        mode: gateway.settings.mode.word().to_owned(),
        url: gateway.settings.site.origin(),
        started: gateway.started,
        connections,
        user_map_error: known.unreadable.clone().filter(|_| sees_all),
        users,
    }))
}

fn user_of(gateway: &Gateway, known: &Known, user: &str, views: Option<usize>) -> User {
    let seen = gateway.agents_seen.of(user);
    let agent = match seen {
        None => "not asked yet",
        Some((_, None)) => "answers",
        Some((_, Some(failure))) => failure.sentence(),
    };
    let now = clock::now();
    let all = gateway.logins.all(known, now);
    let logins = all.into_iter().filter(|(own, _)| own == user).map(|(_, login)| Login {
        id: login.id,
        device: login.device,
        created: login.created,
        used: login.used,
    });
    User {
        name: user.to_owned(),
        is_admin: known.is_admin(user),
        views: views.unwrap_or(0),
        agent: agent.to_owned(),
        agent_seen: seen.map(|(time, _)| time),
        logins: logins.collect(),
    }
}
