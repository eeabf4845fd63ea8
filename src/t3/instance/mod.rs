//! A client of one instance. It is its user's program, so whatever it answers is checked and bounded, and each call ends in time.

mod answers;
mod socket;

use crate::sys::clock;
use crate::sys::net::http::{HttpError, Messenger};
use crate::sys::net::listener;
use nix::unistd::Uid;
use serde_json::json;
use std::time::{Duration, Instant};
use ureq::http::{Request, Response};

/// Maximum size of an answer, in bytes: the largest that is known has less than 2 KiB.
const MAX_ANSWER: u64 = 64 << 10;
/// Where a credential becomes a cookie: since 0.0.26, and before. Each version answers 404 to the other.
const EXCHANGES: [&str; 2] = ["/api/auth/browser-session", "/api/auth/bootstrap"];
/// How long to wait before an exchange is tried again.
const PAUSE: Duration = Duration::from_millis(250);

/// An instance on a port of the loopback interface.
#[derive(Debug, Clone)]
pub struct Instance {
    port: u16,
    deadline: Duration,
}

/// A cookie of an instance. Its value is a secret of its user: `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Cookie {
    pub name: String,
    pub value: String,
}

impl std::fmt::Debug for Cookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}=…", self.name)
    }
}

/// What an instance says of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub authenticated: bool,
    /// The name that its cookie has on this instance.
    pub cookie_name: String,
}

/// Why an instance cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// Nothing is there, or it did not answer in time, or with too much.
    #[error("{0}")]
    NoAnswer(String),
    /// It answered with an error.
    #[error("{path} answers with status {status}")]
    Status { path: &'static str, status: u16 },
    /// The answer is not of the form that is known.
    #[error("{path}: {why}")]
    Answer { path: &'static str, why: &'static str },
    /// The credential was used before, or is too old, or of another instance.
    #[error("the instance refuses the credential")]
    Refused,
    /// The exchange succeeded without a cookie of the name that the instance has for it.
    #[error("the exchange sets no cookie '{0}'")]
    NoCookie(String),
    /// Nothing listens on the port.
    #[error("nothing listens on port {0}")]
    NotListening(u16),
    /// The port is another account's.
    #[error("port {port} is listened on by uid {uid}, which is not the instance's user")]
    OtherOwner { port: u16, uid: u32 },
    #[error("whose port {port} is: {source}")]
    Owner { port: u16, source: std::io::Error },
}

impl Instance {
    /// The instance on 127.0.0.1:`port`; each call takes at most `deadline`. Nothing is asked yet.
    pub fn on(port: u16, deadline: Duration) -> Self {
        Self { port, deadline }
    }

    /// Checks that the port is the user's: before secrets are sent there, and before what it says is believed.
    pub fn check_owner(&self, user: Uid) -> Result<(), InstanceError> {
        let port = self.port;
        let owner = listener::owner(port);
        match owner.map_err(|source| InstanceError::Owner { port, source })? {
            Some(owner) if owner == user => Ok(()),
            Some(owner) => Err(InstanceError::OtherOwner { port, uid: owner.as_raw() }),
            None => Err(InstanceError::NotListening(port)),
        }
    }

    /// The version that runs.
    pub fn version(&self) -> Result<String, InstanceError> {
        let path = "/.well-known/t3/environment";
        let answer = self.get(path, &[], self.deadline)?;
        answers::version(answer.body()).map_err(|why| InstanceError::Answer { path, why })
    }

    /// Whether cookies are a session, and what the name of a session's cookie is. This is what tells that an instance
    /// works: `/` is answered even if the database is not to be read.
    pub fn session(&self, cookies: &[Cookie]) -> Result<Session, InstanceError> {
        self.session_within(cookies, self.deadline)
    }

    fn session_within(
        &self,
        cookies: &[Cookie],
        within: Duration,
    ) -> Result<Session, InstanceError> {
        let path = "/api/auth/session";
        let answer = self.get(path, cookies, within)?;
        answers::session(answer.body()).map_err(|why| InstanceError::Answer { path, why })
    }

    /// Turns a credential into a cookie. Errors of the server (a database that is locked) leave the credential
    /// usable: it is sent again until the deadline.
    pub fn exchange(&self, credential: &str) -> Result<Cookie, InstanceError> {
        let end = Instant::now() + self.deadline;
        let name = self.session_within(&[], self.deadline)?.cookie_name;
        loop {
            let error = match self.exchange_once(credential, end) {
                Ok(answer) => return answers::cookie(&answer, &name),
                Err(error) => error,
            };
            let again = matches!(error, InstanceError::Status { status: 500.., .. });
            if !again || Instant::now() + PAUSE >= end {
                return Err(error);
            }
            clock::pause(PAUSE);
        }
    }

    fn exchange_once(
        &self,
        credential: &str,
        end: Instant,
    ) -> Result<Response<Vec<u8>>, InstanceError> {
        let body = json!({ "credential": credential }).to_string();
        let mut missing = InstanceError::NotListening(self.port);
        for path in EXCHANGES {
            let request =
                Request::post(self.address(path)).header("content-type", "application/json");
            let left = end.saturating_duration_since(Instant::now());
            let answer = Self::send(request, body.clone().into_bytes(), left)?;
            match answer.status().as_u16() {
                200 => return Ok(answer),
                401 | 403 => return Err(InstanceError::Refused),
                status @ 404 => missing = InstanceError::Status { path, status },
                status => return Err(InstanceError::Status { path, status }),
            }
        }
        Err(missing)
    }

    /// Opens the WebSocket with a cookie, and sees that it answers.
    pub fn ping(&self, cookie: &Cookie) -> Result<(), InstanceError> {
        socket::ping(self.port, &header(std::slice::from_ref(cookie)), self.deadline)
    }

    fn get(
        &self,
        path: &'static str,
        cookies: &[Cookie],
        within: Duration,
    ) -> Result<Response<Vec<u8>>, InstanceError> {
        let mut request = Request::get(self.address(path)).header("accept", "application/json");
        if !cookies.is_empty() {
            request = request.header("cookie", header(cookies));
        }
        let answer = Self::send(request, Vec::new(), within)?;
        match answer.status().as_u16() {
            200 => Ok(answer),
            status => Err(InstanceError::Status { path, status }),
        }
    }

    fn send(
        request: ureq::http::request::Builder,
        body: Vec<u8>,
        within: Duration,
    ) -> Result<Response<Vec<u8>>, InstanceError> {
        let no_answer = |error: HttpError| InstanceError::NoAnswer(error.to_string());
        let request = request.body(body);
        let request = request.map_err(|error| InstanceError::NoAnswer(error.to_string()))?;
        // A deadline of zero would be none.
        let within = within.max(Duration::from_millis(1));
        Messenger::to_loopback(within).send(request, MAX_ANSWER).map_err(no_answer)
    }

    fn address(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

/// Cookies as a request has them.
fn header(cookies: &[Cookie]) -> String {
    let pairs = cookies.iter().map(|Cookie { name, value }| format!("{name}={value}"));
    pairs.collect::<Vec<_>>().join("; ")
}
