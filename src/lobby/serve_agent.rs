//! `lobby agent`: the caller's own sessions, for the gateway, on a Unix socket that the service manager made.

use crate::agent::socket::Listener;
use crate::agent::{Agent, from_gateway, router, running};
use crate::args::AgentArgs;
use crate::error::Error;
use crate::protocol::wake::{NOT_WANTED, WAKE, WANTED};
use crate::terminal::{Store, Views};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use rustix::process::Uid;
use std::io;
use std::os::unix::net::UnixListener as StdListener;
use std::path::Path;
use std::time::Duration;
use terminal_lobby::cli::config_file;
use terminal_lobby::cli::exit::Failure;
use terminal_lobby::cli::persist::args::Common;
use terminal_lobby::persist::Request as PersistRequest;
use terminal_lobby::supervisor::run::own_job;
use terminal_lobby::sys::accounts;
use terminal_lobby::sys::notify::Notifier;
use terminal_lobby::sys::passed::{self, Passed};
use tokio::net::UnixListener;
use tokio::sync::watch;
use tokio::time::sleep;

/// The name of the socket that the service manager passes.
const SOCKET: &str = "agent";

/// Serves until a signal comes or no one has looked for a while.
pub(crate) fn run(common: &Common, args: &AgentArgs) -> Result<(), Failure> {
    let mut passed = passed::take();
    let notifier = Notifier::take();
    let config = config_file::load(&common.overrides())?;
    let job = own_job(&config, &PersistRequest::Status)?;
    let mut allowed = vec![Uid::ROOT];
    match accounts::uid_of(&args.gateway) {
        Ok(Some(uid)) => allowed.push(Uid::from_raw(uid.as_raw())),
        Ok(None) => tracing::warn!(account = args.gateway, "there is no such account"),
        Err(error) => return Err(Failure::failed(Error::from(error))),
    }
    let listen = |source| {
        let address = args.listen.as_deref().unwrap_or(Path::new("the passed socket"));
        Failure::failed(Error::Listen { address: address.display().to_string(), source })
    };
    let listener = match &args.listen {
        Some(path) => {
            allowed.push(rustix::process::geteuid());
            bind(path).map_err(listen)?
        }
        None => of_manager(&mut passed).ok_or_else(|| {
            Failure::failed("there is no socket from the service manager")
                .with_hint("systemctl start lobby-agent@NAME.socket, or --listen PATH for a trial")
        })?,
    };
    running::block_on(async {
        let listener =
            listener.set_nonblocking(true).and_then(|()| UnixListener::from_std(listener));
        let listener = Listener::new(listener.map_err(listen)?, allowed);
        let store = Store::of(notifier.clone());
        let views = Views::adopt(store.clone(), passed);
        let agent = Agent::of(job, views).map_err(Failure::failed)?;
        let wanted = agent.attention.wanted();
        let (held, time) = (agent.held.count(), Duration::from_secs(args.idle));
        let idle = idle(listener.connections(), held, wanted.clone(), time);
        let serve = async {
            let app = router(agent.clone())
                .fallback(|| async { StatusCode::NOT_FOUND })
                .layer(from_fn(from_gateway))
                .layer(from_fn(one_request))
                .layer(from_fn_with_state(wanted, says_wake));
            tokio::select! {
                served = async { axum::serve(listener, app).await } => served,
                () = idle => Ok(()),
            }
        };
        notifier.ready("serving").unwrap_or_else(not_notified);
        tokio::spawn(agent.held.clone().give());
        let served = running::until_signal(&agent, serve).await;
        notifier.stopping().unwrap_or_else(not_notified);
        // An upgrade, or a restart: the views go on.
        store.leave();
        served.map_err(Failure::failed)
    })
}

#[expect(clippy::needless_pass_by_value, reason = "it is what an error is handed to")]
fn not_notified(error: io::Error) {
    tracing::warn!(%error, "the service manager was not notified");
}

/// Binds a socket that the caller alone can use, in place of one that no process listens on.
fn bind(path: &Path) -> io::Result<StdListener> {
    let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o177));
    let bound = match StdListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            match std::os::unix::net::UnixStream::connect(path) {
                Err(refused) if refused.kind() == io::ErrorKind::ConnectionRefused => {
                    rustix::fs::unlink(path)?;
                    StdListener::bind(path)
                }
                _ => Err(error),
            }
        }
        other => other,
    };
    rustix::process::umask(before);
    bound
}

fn of_manager(passed: &mut Vec<Passed>) -> Option<StdListener> {
    let place = passed.iter().position(|passed| passed.name == SOCKET)?;
    Some(passed.swap_remove(place).descriptor.into())
}

/// Each connection is for one request, so that none is open without use; an upgraded one goes on.
async fn one_request(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Says to the gateway whether this is to run after the host has started, though no page is open.
async fn says_wake(
    State(wanted): State<watch::Receiver<Option<bool>>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    if let Some(is_wanted) = *wanted.borrow() {
        let value = HeaderValue::from_static(if is_wanted { WANTED } else { NOT_WANTED });
        response.headers_mut().insert(WAKE, value);
    }
    response
}

/// Waits until there was no connection for a while, no prompt is held, and no browser is to be notified.
async fn idle(
    mut connections: watch::Receiver<usize>,
    mut held: watch::Receiver<usize>,
    mut wanted: watch::Receiver<Option<bool>>,
    time: Duration,
) {
    loop {
        if held.wait_for(|count| *count == 0).await.is_err()
            || wanted.wait_for(|wanted| *wanted != Some(true)).await.is_err()
            || connections.wait_for(|count| *count == 0).await.is_err()
        {
            return;
        }
        tokio::select! {
            () = sleep(time) => return,
            _ = held.changed() => {}
            _ = connections.changed() => {}
            _ = wanted.changed() => {}
        }
    }
}
