//! Logging in by an OpenID Connect provider, as far as the gateway alone decides. The provider here is a stub that only
//! says what it is.

use super::lab::{Lab, status};
use std::io::{Read, Write};
use std::net::TcpListener;

/// Serves a discovery document and no keys; gives the issuer.
fn stub_provider() -> String {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let issuer = format!("http://{}", socket.local_addr().unwrap());
    let own = issuer.clone();
    std::thread::spawn(move || {
        for mut stream in socket.incoming().map_while(Result::ok) {
            let mut head = [0; 4096];
            let length = stream.read(&mut head).unwrap_or(0);
            let body = if String::from_utf8_lossy(&head[..length]).contains("openid-configuration") {
                serde_json::json!({
                    "issuer": own, "authorization_endpoint": format!("{own}/auth"), "jwks_uri": format!("{own}/jwks"),
                    "token_endpoint": format!("{own}/token"), "response_types_supported": ["code"],
                    "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"],
                })
            } else {
                serde_json::json!({ "keys": [] })
            }
            .to_string();
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
        }
    });
    issuer
}

fn lab(issuer: &str) -> Option<Lab> {
    let section = format!("\n\n[oidc]\nissuer = \"{issuer}\"\nclient_id = \"lobby\"\n");
    Lab::with("lobby::gateway", "oidc", &section)
}

#[test]
fn a_login_is_bound_to_its_browser_and_leads_nowhere_else() {
    let issuer = stub_provider();
    let Some(lab) = lab(&issuer) else { return };
    assert!(lab.ask("GET /api/me", "").contains(r#""log_in":"/login""#));
    let begun = lab.ask("GET /login?next=//evil.example&redirect_uri=http://evil.example", "");
    assert_eq!(status(&begun), 303, "{begun}");
    let header = |name: &str| {
        begun.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned()
    };
    let to = header("location: ");
    assert!(to.starts_with(&format!("{issuer}/auth?")) && !to.contains("evil"), "{to}");
    for part in [
        "response_type=code",
        "client_id=lobby",
        "code_challenge_method=S256",
        "code_challenge=",
        "nonce=",
        "state=",
        "redirect_uri=http%3A%2F%2Flobby.test%2Flogin%2Fcallback",
    ] {
        assert!(to.contains(part), "{part}: {to}");
    }
    let cookie = header("set-cookie: ");
    assert!(
        cookie.contains("HttpOnly")
            && cookie.contains("SameSite=Lax")
            && cookie.contains("Max-Age=600"),
        "{cookie}"
    );
    let pair = format!("Cookie: {}\n", cookie.split(';').next().unwrap());
    let state = to.split("state=").nth(1).unwrap().split('&').next().unwrap();
    let code = |query: &str, headers: &str| {
        status(&lab.ask(&format!("GET /login/callback?{query}"), headers))
    };
    assert_eq!(code(&format!("code=x&state={state}"), ""), 400, "another browser");
    assert_eq!(code("code=x&state=other", &pair), 400, "another login");
    assert_eq!(code("code=x", &pair), 400, "no state");
    assert_eq!(code(&format!("code=x&state={state}&state={state}"), &pair), 400, "two states");
    assert_eq!(code(&format!("state={state}"), &pair), 400, "no code");
    assert_eq!(
        code(&format!("code=x&state={state}&iss=http://evil.example"), &pair),
        400,
        "another provider"
    );
    assert_eq!(code(&format!("error=access_denied&state={state}"), &pair), 400, "refused");
    assert_eq!(
        code(&format!("code=x&state={state}"), &format!("{pair}{pair}")),
        400,
        "two cookies"
    );
    // The stub gives no token: nothing of what it says lets anybody in.
    let answer = lab.ask(&format!("GET /login/callback?code=x&state={state}"), &pair);
    assert!(
        status(&answer) == 502 && !answer.contains("lobby=") && answer.contains("Max-Age=0"),
        "{answer}"
    );
}

#[test]
fn a_provider_that_cannot_be_reached_is_said_in_plain_words() {
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let Some(lab) = lab(&format!("http://{unused}")) else { return };
    let answer = lab.ask("GET /login", "");
    assert_eq!(status(&answer), 503, "{answer}");
    assert!(answer.contains("cannot be reached") && answer.contains("retry-after: 60"), "{answer}");
}
