//! `lobby serve`: from the configuration to the last connection.

use super::audit::Audit;
use super::door;
use super::error::GatewayError;
use super::host;
use super::listen::{Listener, Listeners};
use super::login::logins::Logins;
use super::login::provider::Provider;
use super::metrics::{Counted, Metrics};
use super::open::{CUT, Open, RESTART};
use super::people::who::Peer;
use super::people::{Changes, People};
use super::relay::awake::Awake;
use super::relay::seen::Seen;
use super::requests::cut_logins;
use super::settings::{Mode, Proxy, Settings};
use super::share::index::Index;
use super::share::{self, may_pass};
use super::state::{Gateway, Parts};
use super::t3::{self, T3};
use super::wake::wake;
use crate::args::ServeArgs;
use crate::auth::{Attempts, Secret, Tickets};
use crate::page;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use terminal_lobby::cli::exit::Failure;
use terminal_lobby::cli::output;
use terminal_lobby::persist::capture;
use terminal_lobby::sys::notify::Notifier;
use terminal_lobby::sys::passed::{self, Passed};
use terminal_lobby::sys::process::limits::raise_open_files_to;
use terminal_lobby::sys::{accounts, clock};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// How many threads wait for disks and for the database of users.
const BLOCKING_THREADS: usize = 4;
/// How many headers a request may have.
const MAX_HEADERS: usize = 64;
/// How long what is open may take to close when the gateway ends.
const CLOSING: Duration = Duration::from_secs(2);
/// How long what is open stays open while the map cannot be read.
const UNREADABLE: Duration = Duration::from_mins(1);
/// How often logins are looked at whose time may be over.
const EXPIRY: Duration = Duration::from_mins(10);
/// Files beside those of connections.
const OWN_FILES: u64 = 200;

/// Serves until a signal comes.
pub(crate) fn run(args: &ServeArgs) -> Result<(), Failure> {
    if !page::is_built() {
        let hint = "make page, then cargo build";
        return Err(Failure::failed("this program was built without its page").with_hint(hint));
    }
    let is_journal = output::is_journal();
    tracing::debug!(is_journal, "starting");
    let given = passed::take();
    let notifier = Notifier::take();
    let settings = Settings::read(&args.file)?;
    check_agents(&settings)?;
    let connections = settings.limits.connections as u64;
    let files = raise_open_files_to(2 * connections + OWN_FILES);
    if files < 2 * connections + OWN_FILES {
        output::note(&format!(
            "{files} files may be open at once: fewer connections than the {connections} allowed"
        ));
    }
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().max_blocking_threads(BLOCKING_THREADS).build();
    let runtime = runtime.map_err(|source| failed("starting", source))?;
    let served = runtime.block_on(serve(settings, given, &notifier));
    runtime.shutdown_background();
    served
}

fn failed(doing: &'static str, source: std::io::Error) -> Failure {
    Failure::failed(GatewayError::Io { doing, source })
}

/// The directory of the agents' sockets must be one in which no user can put a socket for another.
fn check_agents(settings: &Settings) -> Result<(), Failure> {
    use std::os::unix::fs::MetadataExt;
    let Ok(stat) = std::fs::metadata(&settings.agents) else { return Ok(()) }; // it may come yet
    let own = rustix::process::geteuid().as_raw();
    if (stat.uid() == 0 || stat.uid() == own) && stat.mode() & 0o022 == 0 {
        return Ok(());
    }
    let dir = settings.agents.display();
    Err(Failure::refused(format!("{dir}: others than root can put sockets there")))
}

async fn serve(settings: Settings, given: Vec<Passed>, notifier: &Notifier) -> Result<(), Failure> {
    let listeners = Listeners::new(given, &settings).map_err(Failure::failed)?;
    let gateway = gateway(settings, &listeners)?;
    let changes = Changes::of(gateway.people.files()).map_err(Failure::failed)?;
    let mut terminate =
        signal(SignalKind::terminate()).map_err(|source| failed("waiting for signals", source))?;
    let mut interrupt =
        signal(SignalKind::interrupt()).map_err(|source| failed("waiting for signals", source))?;
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(follow(gateway.clone(), changes));
    if let Some(t3) = &gateway.t3 {
        let changes = Changes::of(t3.tables.files()).map_err(Failure::failed)?;
        tasks.spawn(t3::follow(gateway.clone(), changes));
    }
    let slots = Arc::new(Semaphore::new(gateway.settings.limits.connections));
    let places: Vec<String> = listeners.http.iter().map(where_of).collect();
    for listener in listeners.http {
        tasks.spawn(accept(gateway.clone(), listener, Arc::clone(&slots)));
    }
    for socket in listeners.link {
        tasks.spawn(host::serve(gateway.clone(), socket));
    }
    tasks.spawn(share::expire(gateway.clone()));
    if gateway.settings.mode != Mode::Proxy {
        tasks.spawn(expire(gateway.clone()));
    }
    if let Some(address) = gateway.settings.metrics {
        let socket = super::scrape::bind(address).map_err(Failure::failed)?;
        let address =
            socket.local_addr().map_err(|source| failed("listening for metrics", source))?;
        output::progress(&format!("metrics at http://{address}/metrics"));
        tasks.spawn(super::scrape::serve(gateway.clone(), socket));
    }
    for place in places {
        output::progress(&format!("serving {} for {place}", gateway.settings.site.origin()));
    }
    if let Some(t3) = &gateway.t3 {
        output::progress(&format!("serving T3 Code at {}", t3.settings.site.origin()));
    }
    if let Err(error) = notifier.ready("serving") {
        tracing::warn!(%error, "the service manager was not notified");
    }
    let waking = tokio::spawn(wake(gateway.clone()));
    let ended = tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        Some(ended) = tasks.join_next() => {
            let error = ended.unwrap_or(Ok(())).err();
            let error = error.unwrap_or_else(|| GatewayError::Refused("a part of the lobby ended".to_owned()));
            Err(Failure::failed(error))
        }
    };
    waking.abort();
    tasks.shutdown().await; // no more connections
    gateway.open.cut(RESTART, |_| false);
    let closed = async {
        while !gateway.open.is_empty() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    if timeout(CLOSING, closed).await.is_err() {
        output::warning("not all that was open could be closed in time");
    }
    gateway.audit.end();
    if let Err(error) = gateway.logins.write().await {
        output::error(&format!("the last use of logins was not kept: {error}"));
    }
    ended
}

fn where_of(listener: &Listener) -> String {
    listener
        .address()
        .map_or_else(|| "connections".to_owned(), |address| format!("connections to {address}"))
}

fn gateway(settings: Settings, listeners: &Listeners) -> Result<Gateway, Failure> {
    let people = People::read(settings.user_map.clone(), settings.admins.clone());
    let proxy_uid = match &settings.proxy {
        Some(proxy) => proof_of(proxy, listeners)?,
        None => None,
    };
    let logins =
        Logins::read(&settings.state, &settings.site, &settings.limits).map_err(Failure::from)?;
    let awake = Awake::read(&settings.state).map_err(Failure::from)?;
    let provider = settings.oidc.clone().map(|oidc| Provider::new(oidc, &settings.site));
    let proxy_secret = settings.proxy.as_ref().and_then(|proxy| proxy.secret.as_ref());
    let proxy_secret = proxy_secret.map(|secret| Secret::of(secret.text()));
    Ok(Gateway::new(Parts {
        origins: settings.site.origins(),
        people,
        open: Open::default(),
        logins,
        metrics: Metrics::new(settings.t3.is_some()),
        t3: settings.t3.clone().map(T3::new),
        audit: Audit::default(),
        agents_seen: Seen::default(),
        awake,
        index: Index::read(&settings.state).map_err(Failure::from)?,
        tickets: Tickets::default(),
        provider: provider.transpose().map_err(Failure::usage)?,
        proxy_secret,
        proxy_uid,
        failed_logins: Attempts::default(),
        host: capture::host_name(),
        started: clock::now(),
        settings,
    }))
}

/// The uid of the login proxy, if it has an account; each socket must have a proof that it can ask for.
fn proof_of(proxy: &Proxy, listeners: &Listeners) -> Result<Option<u32>, Failure> {
    let refused = |why: &str| Err(Failure::usage(GatewayError::Refused(why.to_owned())));
    if listeners.http.iter().any(Listener::is_tcp) && proxy.secret.is_none() {
        return refused(
            "proxy.secret_file is needed: over TCP, any account of this host could send the header",
        );
    }
    if listeners.http.iter().any(|listener| !listener.is_tcp()) && proxy.user.is_none() {
        return refused(
            "proxy.user is needed: any account that reaches the socket could send the header",
        );
    }
    let Some(user) = &proxy.user else { return Ok(None) };
    match accounts::uid_of(user).map_err(Failure::failed)? {
        Some(uid) => Ok(Some(uid.as_raw())),
        None => Err(Failure::usage(format!("proxy.user: no account '{user}' on this host"))),
    }
}

/// Takes connections for good.
async fn accept(
    gateway: Gateway,
    listener: Listener,
    slots: Arc<Semaphore>,
) -> Result<(), GatewayError> {
    let limits = &gateway.settings.limits;
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.header_time())
        .max_buf_size(limits.header_bytes)
        .max_headers(MAX_HEADERS)
        .half_close(false)
        .pipeline_flush(false);
    loop {
        let (stream, peer) = listener.accept(limits.stalled()).await;
        let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else {
            gateway.metrics.refused(super::refusal::Refusal::TooMany);
            continue; // closed at once: one that waits would be one more
        };
        tokio::spawn(connection(gateway.clone(), http.clone(), stream, peer, slot));
    }
}

async fn connection(
    gateway: Gateway,
    http: http1::Builder,
    stream: super::relay::stream::Stream,
    peer: Peer,
    slot: tokio::sync::OwnedSemaphorePermit,
) {
    let counted = Counted::new(&gateway.metrics.connections);
    let slot = Arc::new((slot, counted));
    let service = service_fn(|mut request| {
        // A WebSocket outlives this: it holds its place, too.
        request.extensions_mut().insert(Arc::clone(&slot));
        let gateway = gateway.clone();
        async move { Ok::<_, Infallible>(door::answer(&gateway, peer, request).await) }
    });
    if let Err(error) = http.serve_connection(TokioIo::new(stream), service).with_upgrades().await {
        tracing::debug!(%error, "a connection ended");
    }
}

/// Cuts what is open for logins whose time is over.
async fn expire(gateway: Gateway) -> Result<(), GatewayError> {
    loop {
        sleep(EXPIRY).await;
        gateway.logins.use_again(&gateway.open.logins(), clock::now());
        cut_logins(&gateway);
    }
}

/// Follows the files of people, and cuts who may not go on.
async fn follow(gateway: Gateway, changes: Changes) -> Result<(), GatewayError> {
    let mut known = gateway.people.subscribe();
    let cuts = async {
        loop {
            let now = gateway.people.now();
            let is_readable = now.unreadable.is_none();
            gateway.metrics.map_is_readable.set(is_readable.into());
            gateway.metrics.users.set(i64::try_from(now.users().count()).unwrap_or(i64::MAX));
            if is_readable {
                cut(&gateway, "they are no longer in the map, or no admins");
            } else if timeout(UNREADABLE, known.changed()).await.is_err() {
                cut(&gateway, "the map could not be read for a minute");
            } else {
                continue;
            }
            if known.changed().await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = cuts => Ok(()),
        ended = gateway.people.clone().follow(changes) => ended,
    }
}

fn cut(gateway: &Gateway, why: &str) {
    let count = gateway.open.cut(CUT, |pass| may_pass(gateway, pass));
    if count > 0 {
        gateway.metrics.cuts.inc_by(count as u64);
        Audit::cut(count, why);
    }
}
