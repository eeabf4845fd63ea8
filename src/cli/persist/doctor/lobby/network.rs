//! Whether the lobby's address and its OpenID provider answer, and whether the clocks agree.

use super::{Configuration, word};
use crate::persist::report::Check;
use crate::sys::clock::{self, Epoch};
use crate::sys::net::http::HttpError;
use crate::sys::net::probe::{Probe, probe};
use std::time::Duration;

const WITHIN: Duration = Duration::from_secs(5);
/// How far clocks may be apart, in seconds: identities that a provider vouches for count for minutes.
const MAX_SKEW: u64 = 30;

pub(super) fn checks(configuration: &Configuration) -> Vec<Check> {
    let mut checks = Vec::new();
    if !configuration.url.is_empty() {
        checks.push(judge_url(&configuration.url, probe(&configuration.url, WITHIN)));
    }
    if let Some(issuer) =
        configuration.oidc.issuer.as_ref().filter(|_| configuration.mode == "oidc")
    {
        let document = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let answer = probe(&document, WITHIN);
        checks.push(judge_issuer(&document, answer, clock::now()));
    }
    checks
}

/// Any answer but an error of a web server says that the way is open.
fn judge_url(url: &str, answer: Result<Probe, HttpError>) -> Check {
    const NAME: &str = "lobby address";
    let url = word(url);
    let fix = format!("curl -v {url}");
    match answer {
        Ok(Probe { status: 0..500, .. }) => Check::ok(NAME, format!("{url} answers")),
        Ok(Probe { status, .. }) => {
            Check::warn(NAME, format!("{url} answers with status {status}"), fix)
        }
        Err(error) => Check::warn(NAME, format!("not reachable from this host: {error}"), fix),
    }
}

fn judge_issuer(document: &str, answer: Result<Probe, HttpError>, now: Epoch) -> Check {
    const NAME: &str = "lobby provider";
    let document = word(document);
    let fix = format!("curl -v {document}");
    match answer {
        Ok(Probe { status: 200, date: Some(date) }) if date.abs_diff(now) > MAX_SKEW => {
            let what = format!("its clock and this host's are {} s apart", date.abs_diff(now));
            Check::fault(NAME, what, "timedatectl status")
        }
        Ok(Probe { status: 200, .. }) => Check::ok(NAME, format!("{document} answers")),
        Ok(Probe { status, .. }) => {
            Check::fault(NAME, format!("{document} answers with status {status}"), fix)
        }
        Err(error) => Check::fault(NAME, format!("no user can log in: {error}"), fix),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::report::CheckState;

    #[test]
    fn a_provider_must_answer_at_about_the_same_time() {
        let judged =
            |status, date| judge_issuer("https://x", Ok(Probe { status, date }), 1_000_000).state;
        assert_eq!(judged(200, None), CheckState::Ok);
        assert_eq!(judged(200, Some(1_000_029)), CheckState::Ok);
        assert_eq!(judged(200, Some(1_000_031)), CheckState::Fault);
        assert_eq!(judged(200, Some(999_900)), CheckState::Fault);
        assert_eq!(judged(404, None), CheckState::Fault);
    }

    #[test]
    fn an_address_that_asks_for_a_login_answers() {
        let judged = |status| judge_url("https://x", Ok(Probe { status, date: None })).state;
        assert_eq!([judged(200), judged(401), judged(302)], [CheckState::Ok; 3]);
        assert_eq!(judged(502), CheckState::Warn);
    }
}
