//! `lobby open`: the caller's own sessions, on this machine, until Ctrl-C.

use crate::agent::{Access, Agent, Until, router, running};
use crate::args::OpenArgs;
use crate::auth::{Logins, Origins};
use crate::error::Error;
use crate::open_links;
use crate::page;
use crate::terminal::Views;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::Deserialize;
use std::io::IsTerminal;
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use terminal_lobby::cli::exit::Failure;
use terminal_lobby::cli::persist::args::Common;
use terminal_lobby::cli::{config_file, output};
use terminal_lobby::persist::Request as PersistRequest;
use terminal_lobby::persist::capture;
use terminal_lobby::supervisor::run::own_job;
use tokio::net::TcpListener;

/// Maximum size of a login, in bytes.
const MAX_LOGIN: usize = 1 << 10;

/// Serves the page until a signal comes.
pub(crate) fn run(common: &Common, args: &OpenArgs) -> Result<(), Failure> {
    if !page::is_built() {
        let hint = "make page, then cargo build";
        return Err(Failure::failed("this program was built without its page").with_hint(hint));
    }
    let config = config_file::load(&common.overrides())?;
    let job = own_job(&config, &PersistRequest::Status)?;
    running::block_on(serve(job, common, args))
}

/// What a request may depend on before it reaches the user's own part.
#[derive(Debug, Clone)]
struct Door {
    logins: Arc<Logins>,
    origins: Origins,
    user: Arc<str>,
}

/// The id of the login by which a request came.
#[derive(Debug, Clone)]
struct LoginId(String);

async fn serve(
    job: terminal_lobby::persist::Job,
    common: &Common,
    args: &OpenArgs,
) -> Result<(), Failure> {
    let address = (Ipv4Addr::LOCALHOST, args.port);
    let listen = |source| Error::Listen { address: format!("127.0.0.1:{}", args.port), source };
    let listener =
        TcpListener::bind(address).await.map_err(|error| Failure::failed(listen(error)))?;
    let port = listener.local_addr().map_err(|error| Failure::failed(listen(error)))?.port();
    let agent = Agent::of(job, Views::default()).map_err(Failure::failed)?;
    let user = agent.sessions.user().into();
    let door =
        Door { logins: Arc::new(Logins::on_port(port)), origins: Origins::local(port), user };
    let url = format!("http://127.0.0.1:{port}/#{}", door.logins.new_link());
    announce(&url, common, args)?;
    let app = app(agent.clone(), door);
    let listener = NoDelay(listener);
    let serve = async { axum::serve(listener, app).await };
    tokio::spawn(agent.held.clone().give());
    running::until_signal(&agent, serve).await.map_err(Failure::failed)
}

fn app(agent: Agent, door: Door) -> Router {
    let links = agent.clone();
    let own = router(agent)
        .layer(Extension(Access::own()))
        .layer(from_fn_with_state(door.clone(), logged_in));
    let own_logins = Router::new()
        .route("/api/me", get(me))
        .route("/api/logins", get(logins))
        .route("/api/logins/{id}/revoke", post(revoke))
        .route("/api/logout", post(log_out))
        .layer(from_fn_with_state(door.clone(), logged_in));
    Router::new()
        .route("/api/login", post(log_in).layer(DefaultBodyLimit::max(MAX_LOGIN)))
        .merge(own_logins)
        .with_state(door.clone())
        .merge(open_links::routes(links))
        .merge(own)
        .fallback(
            |request: Request| async move { page::serve(request.uri().path(), request.headers()) },
        )
        .layer(from_fn_with_state(door, from_our_page))
}

/// Refuses what does not come from our page, or is for another host.
async fn from_our_page(State(door): State<Door>, request: Request, next: Next) -> Response {
    let is_ours = door.origins.is_our_host(request.headers())
        && door.origins.is_our_page(request.method(), request.headers());
    let mut response =
        if is_ours { next.run(request).await } else { StatusCode::FORBIDDEN.into_response() };
    page::secure(&mut response);
    response
}

/// Lets in who is logged in. What is made of the connection ends with the login.
async fn logged_in(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    let Some(id) = door.logins.login_of(request.headers()) else {
        let body = serde_json::json!({ "mode": "open" });
        return (StatusCode::UNAUTHORIZED, Json(body)).into_response();
    };
    let logins = Arc::clone(&door.logins);
    let ends = id.clone();
    request.extensions_mut().insert(Until::new(async move { logins.has_ended(&ends).await }));
    request.extensions_mut().insert(LoginId(id));
    next.run(request).await
}

/// Who asks, in the same shape as the gateway says it.
async fn me(State(door): State<Door>) -> Response {
    let user = &*door.user;
    let me = serde_json::json!({
        "user": user, "host": capture::host_name(), "actor": user, "access": "drive",
        "admin": false, "users": [], "mode": "open", "logins": true,
    });
    Json(me).into_response()
}

async fn logins(State(door): State<Door>, Extension(LoginId(id)): Extension<LoginId>) -> Response {
    Json(door.logins.all(&id)).into_response()
}

async fn revoke(State(door): State<Door>, Path(id): Path<String>) -> StatusCode {
    if door.logins.revoke(&id) { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
}

async fn log_out(
    State(door): State<Door>,
    Extension(LoginId(id)): Extension<LoginId>,
) -> StatusCode {
    door.logins.revoke(&id);
    StatusCode::NO_CONTENT
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LogIn {
    link: String,
}

async fn log_in(
    State(door): State<Door>,
    headers: HeaderMap,
    Json(request): Json<LogIn>,
) -> Response {
    match door.logins.log_in(&request.link, &headers) {
        Some(cookie) => (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response(),
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

fn announce(url: &str, common: &Common, args: &OpenArgs) -> Result<(), Failure> {
    if common.json {
        output::print(&format!("{}\n", serde_json::json!({ "url": url })))?;
    } else {
        output::print(&format!("{url}\n"))?;
        if !common.quiet {
            output::note("the URL works once; Ctrl-C ends the lobby, not your sessions");
        }
    }
    let has_display =
        ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    if !args.no_browser && !common.json && has_display && std::io::stdout().is_terminal() {
        open_browser(url);
    }
    Ok(())
}

/// Opens the page, where there is something that opens pages. The URL is in its arguments for a moment, but is of no
/// use once the browser has used it.
#[expect(clippy::disallowed_methods, reason = "the desktop's own program, as the caller")]
fn open_browser(url: &str) {
    let mut command = Command::new("xdg-open");
    command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Err(error) = command.spawn() {
        tracing::debug!(%error, "no browser was opened");
    }
}

/// A listener whose connections send each key's echo at once.
struct NoDelay(TcpListener);

impl axum::serve::Listener for NoDelay {
    type Io = tokio::net::TcpStream;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = axum::serve::Listener::accept(&mut self.0).await;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection may be slow");
        }
        (stream, address)
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.0.local_addr()
    }
}
