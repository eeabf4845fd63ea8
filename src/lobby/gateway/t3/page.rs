//! Answers of the gateway's own at the address of T3 Code: a page for a person, JSON for a program.

use super::failure::Failure;
use super::pairing::flights::Unpaired;
use crate::gateway::answer;
use crate::gateway::refusal::Refusal;
use axum::body::Body;
use axum::http::header::{self, HeaderValue};
use axum::http::{Response, StatusCode};
use std::time::Duration;

/// After so many seconds a page that waits for an instance loads itself again.
const AGAIN: u64 = 2;

/// Says one sentence; a page loads itself again after some seconds if that may help.
pub(super) fn say(
    status: StatusCode,
    sentence: &str,
    again: Option<u64>,
    is_document: bool,
) -> Response<Body> {
    let mut answer =
        if is_document { html(status, sentence, again) } else { answer::failed(status, sentence) };
    if let Some(seconds) = again {
        answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    answer::secure(&mut answer);
    answer
}

fn html(status: StatusCode, sentence: &str, again: Option<u64>) -> Response<Body> {
    let refresh = again
        .map(|seconds| format!("<meta http-equiv=\"refresh\" content=\"{seconds}\">"))
        .unwrap_or_default();
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>T3 Code</title>\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <meta name=\"color-scheme\" content=\"light dark\">{refresh}</head>\
         <body><h1>T3 Code</h1><p>{sentence}.</p></body></html>"
    );
    let mut answer = Response::new(Body::from(page));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    let policy = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    answer
}

pub(super) fn refused(refusal: Refusal, is_document: bool) -> Response<Body> {
    let again = (refusal == Refusal::NoTable || refusal == Refusal::Unreadable).then_some(AGAIN);
    say(refusal.status(), refusal.sentence(), again, is_document)
}

/// Leads to the lobby, where people log in.
pub(super) fn log_in(lobby: &str) -> Response<Body> {
    let sentence =
        format!("Log in at <a href=\"{lobby}/\">{lobby}</a> first, then load this page again");
    say(StatusCode::UNAUTHORIZED, &sentence, None, true)
}

/// An instance gave no answer.
pub(super) fn failed(failure: Failure, is_document: bool) -> Response<Body> {
    let again = if failure == Failure::Foreign { 30 } else { AGAIN };
    say(StatusCode::BAD_GATEWAY, failure.sentence(), Some(again), is_document)
}

/// A browser was not paired.
pub(super) fn unpaired(unpaired: Unpaired) -> Response<Body> {
    let (sentence, again) = match unpaired {
        Unpaired::Instance(failure) => return failed(failure, true),
        Unpaired::Mint => ("no credential could be made for your T3 Code", AGAIN),
        Unpaired::OtherVersion => ("your T3 Code is being updated", 15),
        Unpaired::Exchange => ("your T3 Code did not let this browser in", AGAIN),
        Unpaired::NoCookie => ("your T3 Code gave this browser no session", AGAIN),
        Unpaired::Waits(time) => (
            "this browser could not be connected to your T3 Code; it is tried again soon",
            (time + Duration::from_millis(999)).as_secs().max(1),
        ),
        Unpaired::Loops => return loops(),
    };
    say(StatusCode::BAD_GATEWAY, sentence, Some(again), true)
}

/// Redirects have led nowhere.
pub(super) fn loops() -> Response<Body> {
    let sentence = "your T3 Code gives this browser a session and then does not accept it. Load this page again in a \
                    minute; if it stays so, allow cookies for this address, or ask who runs this host";
    say(StatusCode::BAD_GATEWAY, sentence, None, true)
}
