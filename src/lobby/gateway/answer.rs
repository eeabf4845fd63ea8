//! Answers of the gateway's own.

use super::refusal::Refusal;
use super::relay::failure::Failure;
use crate::page;
use axum::Json;
use axum::body::Body;
use axum::http::header::{self, HeaderValue};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use serde::Serialize;

/// Seconds after which a browser is to try again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("2");

#[derive(Debug, Serialize)]
struct Failed<'a> {
    error: &'a str,
}

/// Data for the page.
pub(super) fn json(data: &impl Serialize) -> Response<Body> {
    let mut answer = Json(data).into_response();
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// An error, in plain words.
pub(super) fn failed(status: StatusCode, error: &str) -> Response<Body> {
    let mut answer = json(&Failed { error });
    *answer.status_mut() = status;
    if status == StatusCode::BAD_GATEWAY || status == StatusCode::SERVICE_UNAVAILABLE {
        answer.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
    }
    answer
}

pub(super) fn refused(refusal: Refusal) -> Response<Body> {
    failed(refusal.status(), refusal.sentence())
}

pub(super) fn of_agent(failure: Failure) -> Response<Body> {
    failed(StatusCode::BAD_GATEWAY, failure.sentence())
}

/// Adds what every answer says; an answer's own content policy, which is stricter, stays.
pub(super) fn secure(answer: &mut Response<Body>) {
    let own = answer.headers_mut().remove(header::CONTENT_SECURITY_POLICY);
    page::secure(answer);
    if let Some(own) = own {
        answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, own);
    }
}
