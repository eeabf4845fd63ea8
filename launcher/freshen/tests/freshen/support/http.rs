//! As much of a web server as `git http-backend` needs.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

/// Answers one request.
pub(crate) fn serve(mut stream: &TcpStream, root: &Path, password: Option<(&str, &str)>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    if reader.read_line(&mut line).unwrap_or(0) == 0 {
        return;
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let header = |name: &str| {
        let header = headers.iter().find(|(key, _)| key == name);
        header.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let mut body = vec![0; header("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    let expected =
        password.map(|(user, word)| format!("Basic {}", base64(&format!("{user}:{word}"))));
    let answer = if expected.is_some_and(|expected| header("authorization") != expected) {
        b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"test\"\r\n\
          Content-Length: 0\r\nConnection: close\r\n\r\n"
            .to_vec()
    } else {
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let mut backend = Command::new("git");
        backend.arg("http-backend").env_clear().env("PATH", super::world::path());
        backend.env("GIT_PROJECT_ROOT", root).env("GIT_HTTP_EXPORT_ALL", "1");
        backend.env("PATH_INFO", path).env("QUERY_STRING", query).env("REQUEST_METHOD", method);
        backend.env("CONTENT_TYPE", header("content-type"));
        backend.env("HTTP_CONTENT_ENCODING", header("content-encoding"));
        backend.env("GIT_PROTOCOL", header("git-protocol"));
        backend.env("CONTENT_LENGTH", body.len().to_string());
        run(&mut backend, &body)
    };
    let _ = stream.write_all(&answer);
}

fn run(backend: &mut Command, body: &[u8]) -> Vec<u8> {
    let backend = backend.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = backend.spawn().unwrap();
    child.stdin.take().unwrap().write_all(body).unwrap();
    let output = child.wait_with_output().unwrap().stdout;
    let text = String::from_utf8_lossy(&output);
    let status = text.lines().next().and_then(|line| line.strip_prefix("Status: "));
    let status = status.unwrap_or("200 OK").to_owned();
    [format!("HTTP/1.1 {status}\r\nConnection: close\r\n").into_bytes(), output].concat()
}

fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bits = (0..3).fold(0, |bits, at| bits << 8 | u32::from(*chunk.get(at).unwrap_or(&0)));
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at) & 63) as usize];
            encoded.push(if at > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    encoded
}
