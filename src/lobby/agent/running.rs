//! Running one user's lobby until it is to end.

use super::state::Agent;
use crate::attention;
use crate::error::Error;
use crate::list;
use std::io;
use terminal_lobby::cli::exit::Failure;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How many threads make lists and ask `persist`.
const BLOCKING_THREADS: usize = 4;

/// Runs on one thread; lists are made beside it.
pub(crate) fn block_on(serve: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().max_blocking_threads(BLOCKING_THREADS).build();
    let runtime =
        runtime.map_err(|source| Failure::failed(Error::Io { doing: "starting", source }))?;
    let served = runtime.block_on(serve);
    runtime.shutdown_background();
    served
}

/// Serves, and follows the sessions, until serving ends or a signal comes. Leaves no hook in the tmux server.
pub(crate) async fn until_signal(
    agent: &Agent,
    serve: impl Future<Output = io::Result<()>>,
) -> Result<(), Error> {
    let sessions = &agent.sessions;
    let cleaning = tokio::spawn(agent.files.clone().keep_clean(sessions.clone()));
    let follow = tokio::spawn(list::follow(sessions.clone()));
    let watch = tokio::spawn(attention::watch(agent.attention.clone(), sessions.clone()));
    let spares = tokio::spawn(agent.spares.clone().keep());
    let mut interrupt = signal_of(SignalKind::interrupt())?;
    let mut terminate = signal_of(SignalKind::terminate())?;
    let served = tokio::select! {
        served = serve => served.map_err(|source| Error::Io { doing: "serving", source }),
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    };
    watch.abort();
    spares.abort();
    let _ = spares.await;
    agent.spares.end_own().await;
    cleaning.abort();
    follow.abort();
    let _ = follow.await; // so that it sets no hook after they are removed
    list::remove_hooks(sessions).await;
    served
}

fn signal_of(kind: SignalKind) -> Result<Signal, Error> {
    signal(kind).map_err(|source| Error::Io { doing: "waiting for signals", source })
}
