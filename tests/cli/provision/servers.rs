//! Stand-ins for Authentik and Vault, that behave and that do not.

use super::{Desk, ROSTER};
use crate::support::http::{Reply, Server};
use serde_json::json;
use std::time::Duration;

fn page(next: u64, count: u64, users: &[&str]) -> Reply {
    let users: Vec<_> =
        users.iter().map(|user| json!({"username": user, "is_active": true})).collect();
    let body = json!({"pagination": {"next": next, "count": count}, "results": users});
    Reply::Body(200, body.to_string())
}

fn membership(desk: &Desk, server: &Server, more: &[&str]) -> crate::support::Run {
    desk.token();
    let mut args = vec!["membership", "--roster", "roster.yaml", "--group", "terminal users"];
    let url = server.url();
    args.extend(["--authentik-url", &url, "--token-file", "token"]);
    args.extend(more);
    let run = desk.args(&args);
    assert!(!format!("{}{}", run.out(), run.err()).contains("sesame"), "the token is printed");
    run
}

#[test]
fn every_page_of_a_group_is_read() {
    let desk = Desk::new();
    let server = Server::new(|path| match path {
        path if path.contains("&page=1&") => page(2, 4, &["ops.lead", "reader.ro"]),
        path if path.contains("&page=2&") => page(0, 4, &["builder42", "jane"]),
        _ => Reply::Body(404, "{}".to_owned()),
    });
    let json = membership(&desk, &server, &["--json"]).ok().json();
    assert_eq!(json["new"].as_object().unwrap().keys().collect::<Vec<_>>(), ["jane"]);
    assert_eq!(json["leavers"], json!({}));
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    let first =
        "GET /api/v3/core/users/?groups_by_name=terminal%20users&page=1&page_size=100 HTTP/1.1";
    assert!(requests[0].starts_with(first), "{}", requests[0]);
    assert!(requests[0].contains("authorization: Bearer sesame-7f3a\r\n"), "{}", requests[0]);
}

type Answer = Box<dyn Fn(&str) -> Reply + Send>;

#[test]
fn an_answer_that_is_not_whole_removes_nobody() {
    let desk = Desk::new();
    let answers: Vec<(&str, Answer)> = vec![
        (
            "page 2: the server answered with status 500",
            Box::new(|path: &str| {
                if path.contains("&page=1&") {
                    page(2, 4, &["ops.lead"])
                } else {
                    Reply::Body(500, "{}".into())
                }
            }),
        ),
        ("3 members, but", Box::new(|_: &str| page(0, 4, &["ops.lead", "a", "b"]))),
        ("page 1: invalid next page 1", Box::new(|_: &str| page(1, 4, &["ops.lead"]))),
        (
            "page 2: the count changed from 4 to 5",
            Box::new(|path: &str| {
                if path.contains("&page=1&") {
                    page(2, 4, &["ops.lead"])
                } else {
                    page(0, 5, &["a"])
                }
            }),
        ),
        (
            "duplicate member 'ops.lead'",
            Box::new(|path: &str| {
                if path.contains("&page=1&") {
                    page(2, 2, &["ops.lead"])
                } else {
                    page(0, 2, &["ops.lead"])
                }
            }),
        ),
        ("the group is empty", Box::new(|_: &str| page(0, 0, &[]))),
        (
            "page 1: the server answered with status 403",
            Box::new(|_: &str| Reply::Body(403, "{\"detail\": \"no\"}".into())),
        ),
        (
            "page 1: the server answered with status 302",
            Box::new(|_: &str| Reply::Body(302, "http://127.0.0.1:1/".into())),
        ),
        (
            "page 1: expected value",
            Box::new(|_: &str| Reply::Body(200, "<html>log in</html>".into())),
        ),
        ("an answer of more than", Box::new(|_: &str| Reply::Endless)),
        ("127.0.0.1:", Box::new(|_: &str| Reply::Raw(vec![]))),
        ("127.0.0.1:", Box::new(|_: &str| Reply::Raw(b"\x16\x03\x01 what".to_vec()))),
        (
            "127.0.0.1:",
            Box::new(|_: &str| {
                Reply::Raw(
                    b"HTTP/1.1 200 X\r\ncontent-length: 900\r\n\r\n{\"pagination\":".to_vec(),
                )
            }),
        ),
    ];
    for (why, answer) in answers {
        let server = Server::new(answer);
        let run = membership(&desk, &server, &["--apply", "--max-cut-percent", "100"]).code(4);
        assert!(run.err().contains("cannot determine group members: "), "{}", run.err());
        assert!(run.err().contains(why), "{why}: {}", run.err());
        assert!(run.err().ends_with("; no users were added or cut\n"), "{}", run.err());
        assert_eq!(desk.read("roster.yaml"), ROSTER);
    }
}

#[test]
fn a_server_that_says_nothing_costs_the_deadline_and_no_more() {
    let desk = Desk::new();
    let server = Server::new(|_| Reply::Hang);
    let run = membership(&desk, &server, &["--deadline", "1"]).code(4);
    assert!(run.err().contains("no answer in time"), "{}", run.err());
    assert!(run.took < Duration::from_secs(10), "{:?}", run.took);
    let url = server.url();
    drop(server);
    desk.token();
    let args = ["membership", "--roster", "roster.yaml", "--group", "g", "--token-file", "token"];
    let args = [&args[..], &["--authentik-url", &url]].concat();
    desk.args(&args).code(4);
}

#[test]
fn a_proxy_or_token_of_the_environment_is_not_used() {
    let desk = Desk::new();
    let proxy = Server::new(|_| Reply::Body(200, "{}".to_owned()));
    let server = Server::new(|_| page(0, 3, &["ops.lead", "reader.ro", "builder42"]));
    desk.token();
    let mut command = desk.sandbox.command(env!("CARGO_BIN_EXE_provision"));
    for name in ["http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"] {
        command.env(name, proxy.url());
    }
    command.args([
        "membership",
        "--roster",
        "roster.yaml",
        "--group",
        "g",
        "--token-file",
        "token",
    ]);
    crate::support::run(command.arg("--authentik-url").arg(server.url())).ok();
    assert_eq!((proxy.requests().len(), server.requests().len()), (0, 1));
}

#[test]
fn a_token_that_others_can_read_is_refused_before_anything_is_asked() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new();
    desk.token();
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(desk.path("token"), open).unwrap();
    let server = Server::new(|_| page(0, 1, &["ops.lead"]));
    let url = server.url();
    let args = ["membership", "--roster", "roster.yaml", "--group", "g", "--token-file", "token"];
    let run = desk.args(&[&args[..], &["--authentik-url", &url]].concat()).code(3);
    assert!(run.err().contains("others can read it; make it 0600"), "{}", run.err());
    assert!(server.requests().is_empty() && !run.err().contains("sesame"));
    desk.token();
    for bad in ["ftp://x", "http://user:hunter2@x/", "https://a b"] {
        let run = desk.args(&[&args[..], &["--authentik-url", bad]].concat()).code(2);
        assert!(run.err().contains("--authentik-url: the address"), "{}", run.err());
        assert!(!run.err().contains("hunter2"));
    }
}

fn check(desk: &Desk, server: &Server) -> crate::support::Run {
    desk.token();
    let url = server.url();
    let run = desk.args(&[
        "roster",
        "check",
        "--roster",
        "roster.yaml",
        "--vault-addr",
        &url,
        "--token-file",
        "token",
        "--vault-path",
        "kv/data/users",
        "--deadline",
        "2",
    ]);
    assert!(!format!("{}{}", run.out(), run.err()).contains("sesame"));
    run
}

#[test]
fn tiers_are_compared_with_those_in_vault() {
    let desk = Desk::new();
    let vault = |data: serde_json::Value| {
        let body = json!({"data": {"data": data, "metadata": {"version": 3}}}).to_string();
        Server::new(move |_| Reply::Body(200, body.clone()))
    };
    let same = vault(json!({"ro": "power-user", "bld": "namespace-owner"}));
    assert_eq!(check(&desk, &same).ok().err(), "");
    let request = &same.requests()[0];
    assert!(request.starts_with("GET /v1/kv/data/users HTTP/1.1"), "{request}");
    assert!(request.contains("x-vault-token: sesame-7f3a\r\n"), "{request}");
    let other = vault(json!({"k8s_users": {"ro": "admin"}}));
    let run = check(&desk, &other).code(1);
    assert!(
        run.err().contains("'tl-reader' has tier power-user here, but 'ro' has 'admin'"),
        "{}",
        run.err()
    );
}

#[test]
fn a_vault_that_does_not_answer_skips_the_comparison_with_a_warning() {
    let desk = Desk::new();
    let reply = |number: usize| match number {
        0 => Reply::Body(503, "{}".to_owned()),
        1 => Reply::Hang,
        2 => Reply::Body(200, "<html>".to_owned()),
        3 => Reply::Body(404, json!({"data": {"data": null}}).to_string()),
        4 => Reply::Body(307, "http://127.0.0.1:1/".to_owned()),
        _ => Reply::Endless,
    };
    for (number, why) in
        ["status 503", "no answer in time", "not JSON", "deleted", "status 307", "more than"]
            .into_iter()
            .enumerate()
    {
        let server = Server::new(move |_| reply(number));
        let run = check(&desk, &server).ok();
        let warning = "warning: roster.yaml: tiers not compared with the cluster's: ";
        assert!(run.err().contains(warning) && run.err().contains(why), "{}", run.err());
        assert_eq!(server.requests().len(), 1);
    }
}
