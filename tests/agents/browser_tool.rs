//! The real Claude Code and the browser tool: what its registration takes.

use crate::provision::worker::worker;
use crate::support::agents::agents;
use crate::support::http::{Reply, Server};
use crate::support::{AgentLab, run};
use serde_json::{Value, json};

fn claude() -> String {
    agents().join("claude").display().to_string()
}

fn registration(url: &str) -> Value {
    json!({"perform": {"browser": {"register": {
        "agent": claude(), "name": "playwright", "url": url,
        "headers": ["Authorization: Bearer ${PLAYWRIGHT_MCP_TOKEN}"],
    }}}})
}

fn servers(lab: &AgentLab) -> Value {
    let text = std::fs::read(lab.sandbox.home().join(".claude.json")).unwrap();
    serde_json::from_slice::<Value>(&text).unwrap()["mcpServers"].clone()
}

#[test]
fn claude_gets_the_tool_once_and_its_file_holds_no_token() {
    let Some(lab) = AgentLab::new() else { return };
    let server = Server::new(|_| Reply::Body(500, String::new()));
    let url = format!("{}/mcp", server.url());
    let before = std::fs::read_to_string(lab.sandbox.home().join(".claude.json")).unwrap();
    let said = run(&mut worker(&lab.sandbox, &registration(&url))).ok().json();
    assert!(
        said["done"][0].as_str().unwrap().contains("registered the server playwright"),
        "{said}"
    );
    let header = json!({"Authorization": "Bearer ${PLAYWRIGHT_MCP_TOKEN}"});
    let wanted = json!({"playwright": {"type": "http", "url": url, "headers": header}});
    assert_eq!(servers(&lab), wanted);
    let answered: Value = serde_json::from_str(&before).unwrap();
    let now = std::fs::read(lab.sandbox.home().join(".claude.json")).unwrap();
    let now: Value = serde_json::from_slice(&now).unwrap();
    for key in ["hasCompletedOnboarding", "customApiKeyResponses"] {
        assert_eq!(now[key], answered[key], "{key}");
    }
    // Of a project it drops what it no longer knows.
    let trusted = |file: &Value| -> Vec<(String, Value)> {
        let projects = file["projects"].as_object().unwrap().iter();
        projects.map(|(dir, of)| (dir.clone(), of["hasTrustDialogAccepted"].clone())).collect()
    };
    assert_eq!(trusted(&now), trusted(&answered));
    let look = json!({"inspect": {"browser": {"name": "playwright"}}});
    let seen = run(&mut worker(&lab.sandbox, &look)).ok().json();
    assert_eq!(seen["facts"]["browser"], json!({"registered": url}));
    let said = run(&mut worker(&lab.sandbox, &registration("http://localhost:1/mcp"))).ok().json();
    assert!(said["done"][0].as_str().unwrap().contains("already"), "{said}");
    assert_eq!(servers(&lab), wanted);
    // Only where the variable is set does the server get the token.
    let mut get = lab.command(claude());
    run(get.args(["mcp", "get", "playwright"]).env("PLAYWRIGHT_MCP_TOKEN", "tok-123")).ok();
    let requests = server.requests().join("\n").to_lowercase();
    assert!(requests.contains("authorization: bearer tok-123"), "{requests}");
}

#[test]
fn claude_finds_no_server_with_the_words_that_we_wait_for() {
    let Some(lab) = AgentLab::new() else { return };
    let none = run(lab.command(claude()).args(["mcp", "get", "playwright"])).code(1);
    let said = none.out() + &none.err();
    assert!(said.contains("No MCP server named"), "{said}");
}

/// Older ones began it anew: why the agent is never run over such a file.
#[test]
fn claude_refuses_its_file_when_it_does_not_parse_and_so_do_we() {
    let Some(lab) = AgentLab::new() else { return };
    let file = lab.sandbox.home().join(".claude.json");
    std::fs::write(&file, "{\"mine\": ").unwrap();
    let said = run(&mut worker(&lab.sandbox, &registration("http://localhost:1/mcp"))).ok().json();
    assert!(said["failed"].as_str().unwrap().contains("is not valid JSON"), "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{\"mine\": ");
    let refused = run(lab.command(claude()).args(["mcp", "get", "playwright"])).code(1);
    assert!(refused.err().contains("Configuration error"), "{}", refused.err());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{\"mine\": ");
}
