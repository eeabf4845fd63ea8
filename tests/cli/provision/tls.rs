//! Servers behind TLS: known by the authorities that are named, and not otherwise.

use super::{Desk, ROSTER};
use crate::support::run;
use std::io::BufRead;
use std::process::{Child, Stdio};

/// Answers every request with one page of three members.
const SERVER: &str = r#"
import http.server, json, ssl, sys
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        users = [{"username": name} for name in ("ops.lead", "reader.ro", "builder42")]
        body = json.dumps({"pagination": {"next": 0, "count": 3}, "results": users}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
server = http.server.HTTPServer(("127.0.0.1", 0), Page)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("server.pem", "server.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
"#;

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An authority, and a server's certificate for 127.0.0.1 that it signed.
fn certificates(desk: &Desk) {
    let extensions = "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n";
    desk.write("extensions", extensions);
    for words in [
        "req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=authority -keyout ca.key -out ca.pem",
        "req -newkey rsa:2048 -nodes -subj /CN=server -keyout server.key -out server.csr",
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile extensions -out server.pem",
    ] {
        run(desk.sandbox.command("openssl").args(words.split(' '))).ok();
    }
}

#[test]
fn a_server_is_known_by_its_authority() {
    let desk = Desk::new();
    certificates(&desk);
    desk.token();
    let mut server = desk.sandbox.command("python3");
    let server = server.args(["-c", SERVER]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut server = Server(server.spawn().unwrap());
    let mut port = String::new();
    std::io::BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut port).unwrap();
    let url = format!("https://127.0.0.1:{}", port.trim());
    let args = ["membership", "--roster", "roster.yaml", "--group", "g", "--token-file", "token"];
    let ask = |more: &[&str]| desk.args(&[&args[..], &["--authentik-url", &url], more].concat());
    assert!(ask(&["--ca-file", "ca.pem"]).ok().out().contains("no changes"));
    let stranger = ask(&[]).code(4);
    assert!(stranger.err().contains("certificate"), "{}", stranger.err());
    let none = ask(&["--ca-file", "roster.yaml"]).code(2);
    assert_eq!(none.err(), "error: --ca-file: roster.yaml: contains no certificate\n");
    ask(&["--ca-file", "none.pem"]).code(2);
    assert_eq!(desk.read("roster.yaml"), ROSTER);
}
