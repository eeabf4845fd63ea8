//! Agents that lie, hang, flood, or are not there. These are programs that only say that they are agents.

use super::lab::{Lab, memory, status};
use crate::support::wait::wait_until;
use std::time::{Duration, Instant};

const ANN: &str = "ann@example.org";

/// A stub: answers with the request's own head.
pub(super) const STUB_THAT_TELLS_THE_HEADERS: &str = "
import socket, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen()
while True:
    c, _ = s.accept()
    head = b''
    while b'\\r\\n\\r\\n' not in head:
        head += c.recv(4096) or b'\\r\\n\\r\\n'
    c.sendall(b'HTTP/1.1 200 OK\\r\\ncontent-type: text/plain\\r\\ncontent-length: %d\\r\\n\\r\\n' % len(head) + head)
    c.close()
";

/// A stub: sends what `{what}` gives, a part at a time, to everybody.
fn stub(what: &str) -> String {
    format!(
        "
import socket, sys, threading, time
def parts():
{what}
def serve(c):
    try:
        c.recv(65536)
        for part in parts():
            c.sendall(part)
    except OSError:
        pass
    c.close()
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(64)
while True:
    c, _ = s.accept()
    threading.Thread(target=serve, args=(c,), daemon=True).start()
"
    )
}

#[test]
fn an_agent_that_is_not_there_hangs_or_talks_nonsense_is_named_and_harms_no_one_else() {
    let Some(lab) = Lab::with("lobby::gateway", "proxy", "\n\n[limits]\nagent_seconds = 1\n")
    else {
        return;
    };
    let ask = || lab.ask("GET /api/thing", &Lab::as_user(ANN));
    lab.without_agent("ann");
    let answer = ask();
    assert_eq!(status(&answer), 502, "{answer}");
    assert!(answer.contains("retry-after: 2") && answer.contains("not set up"), "{answer}");
    for (what, body, said) in [
        ("hangs", "    time.sleep(1000); yield b''", "does not answer"),
        ("is no HTTP", "    yield b'hello\\r\\n\\r\\n' * 1000", "no valid answer"),
        ("closes", "    return; yield b''", "no valid answer"),
        (
            "an endless header",
            "    yield b'HTTP/1.1 200 OK\\r\\n'\n    while True: yield b'x-a: ' + b'b' * 8000 + b'\\r\\n'",
            "no valid answer",
        ),
        (
            "a header line without an end",
            "    yield b'HTTP/1.1 200 OK\\r\\nx-a: '\n    while True: yield b'b' * 65536",
            "no valid answer",
        ),
        (
            "a slow header",
            "    yield b'HTTP/1.1 200 OK\\r\\n'\n    while True:\n        yield b'a: b\\r\\n'\n        time.sleep(.3)",
            "does not answer",
        ),
        (
            "a switch that was not asked for",
            "    yield b'HTTP/1.1 101 x\\r\\nupgrade: websocket\\r\\nconnection: upgrade\\r\\n\\r\\n'",
            "no valid answer",
        ),
        (
            "a redirect",
            "    yield b'HTTP/1.1 302 x\\r\\nlocation: http://evil.example/\\r\\ncontent-length: 0\\r\\n\\r\\n'",
            "no valid answer",
        ),
    ] {
        lab.instead_of_agent("ann", &stub(body));
        let begin = Instant::now();
        let answer = ask();
        assert_eq!(status(&answer), 502, "{what}: {answer}");
        assert!(answer.contains(said) && !answer.contains("evil"), "{what}: {answer}");
        assert!(begin.elapsed() < Duration::from_secs(5), "{what}");
        assert_eq!(lab.names("bob@example.org"), ["of-bob"], "{what}");
    }
}

#[test]
fn an_answer_of_an_agent_cannot_be_a_part_of_the_page_of_someone_else() {
    let Some(lab) = Lab::new("lobby::gateway") else { return };
    let head = "HTTP/1.1 200 OK\\r\\ncontent-type: text/html\\r\\nset-cookie: lobby=x\\r\\nlocation: //evil\\r\\n\
        access-control-allow-origin: *\\r\\ncontent-security-policy: default-src *\\r\\nclear-site-data: *\\r\\n\
        service-worker-allowed: /\\r\\nrefresh: 0\\r\\nlink: <x>; rel=preload\\r\\ncontent-length: 9\\r\\n\\r\\n";
    lab.instead_of_agent("ann", &stub(&format!("    yield b'{head}<script>x'")));
    let answer = lab.ask("GET /api/thing", &Lab::as_user(ANN)).to_lowercase();
    assert_eq!(status(&answer), 200, "{answer}");
    assert!(answer.contains("content-type: application/octet-stream"), "{answer}");
    assert!(
        answer.contains("content-security-policy: default-src 'none'; sandbox\r\n"),
        "{answer}"
    );
    assert!(answer.contains("x-content-type-options: nosniff"), "{answer}");
    for name in [
        "set-cookie",
        "location",
        "access-control",
        "clear-site",
        "service-worker",
        "refresh",
        "link:",
        "default-src *",
    ] {
        assert!(!answer.contains(name), "{name}: {answer}");
    }
}

#[test]
fn a_flood_for_a_reader_that_reads_nothing_fills_no_memory_and_ends() {
    let Some(lab) = Lab::with("lobby::gateway", "proxy", "\n\n[limits]\nstalled_seconds = 2\n")
    else {
        return;
    };
    let flood = "    yield b'HTTP/1.1 200 OK\\r\\ncontent-type: text/plain\\r\\n\\r\\n'\n    while True: yield b'x' * 65536";
    lab.instead_of_agent("ann", &stub(flood));
    let before = memory(lab.pid());
    let mut streams = Vec::new();
    for _ in 0..8 {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", lab.port())).unwrap();
        let head = format!("GET /api/thing HTTP/1.1\nHost: lobby.test\n{}\n", Lab::as_user(ANN));
        std::io::Write::write_all(&mut stream, head.replace('\n', "\r\n").as_bytes()).unwrap();
        streams.push(stream);
    }
    // Such a connection is ended; what it holds in between is bounded.
    let open =
        || lab.host.root(["sh", "-c", "ls /proc/[0-9]*/fd >/dev/null 2>&1; true"]).out().len();
    let _ = open();
    let fds = || std::fs::read_dir(format!("/proc/{}/fd", lab.pid())).unwrap().count();
    let mut most = 0;
    let at_first = fds();
    assert!(at_first >= 8, "{at_first}");
    wait_until("the connections are ended", || {
        most = most.max(memory(lab.pid()));
        fds() < at_first.min(24) - 7
    });
    assert!(most < before + 8 * 1024, "{before} KiB grew to {most}");
    drop(streams);
    assert_eq!(lab.names("bob@example.org"), ["of-bob"]);
}

#[test]
fn the_socket_of_another_user_is_not_taken_for_an_agent() {
    let Some(lab) = Lab::new("lobby::gateway") else { return };
    // Bob's own process listens where ann's agent should be.
    lab.host.sh("install -d -o bob /tmp/of-bob");
    let program = "import socket, time; s = socket.socket(socket.AF_UNIX); s.bind('/tmp/of-bob/s'); s.listen(); time.sleep(1000)";
    lab.host.start_as("bob", &["python3", "-c", program]);
    wait_until("it listens", || {
        lab.host.sh("test -S /tmp/of-bob/s && echo yes || :").trim() == "yes"
    });
    lab.host.sh(
        "mv /tmp/of-bob/s /tmp/s 2>/dev/null || :; rm -f /run/terminal-lobby/agents/ann.sock; \
        ln -s /tmp/s /run/terminal-lobby/agents/ann.sock; chmod 666 /tmp/s",
    );
    let answer = lab.ask("GET /api/thing", &Lab::as_user(ANN));
    assert_eq!(status(&answer), 502, "{answer}");
    assert!(answer.contains("another user's"), "{answer}");
}
