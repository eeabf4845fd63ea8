//! An HTTP server of a test's own, on a port of its own, that answers as it is told.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// What a server does with a request.
pub(crate) enum Reply {
    /// Answers with a status and a body.
    Body(u16, String),
    /// Sends these bytes and closes.
    Raw(Vec<u8>),
    /// Says nothing until the client goes away.
    Hang,
    /// Sends a body without an end.
    Endless,
}

/// A server; dropping it ends it.
pub(crate) struct Server {
    address: std::net::SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts one; `answer` gets the path with its query.
    pub(crate) fn new(answer: impl Fn(&str) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (requests, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (kept, stopping) = (Arc::clone(&requests), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopping.load(Ordering::SeqCst) {
                    return;
                }
                // A client that goes away is no failure of the server's.
                let _ = serve(stream.unwrap(), &answer, &kept);
            }
        });
        Self { address, requests, stop, thread: Some(thread) }
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests so far: their lines, the header's included.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().unwrap().join();
    }
}

fn serve(
    mut stream: TcpStream,
    answer: &impl Fn(&str) -> Reply,
    requests: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte)? == 1 {
        request.push(byte[0]);
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    requests.lock().unwrap().push(request);
    match answer(&path) {
        Reply::Body(status, body) => {
            let length = body.len();
            let location =
                if status / 100 == 3 { format!("location: {body}\r\n") } else { String::new() };
            write!(
                stream,
                "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-type: application/json\r\n\
                 {location}content-length: {length}\r\n\r\n{body}"
            )
        }
        Reply::Raw(bytes) => stream.write_all(&bytes),
        Reply::Hang => stream.read(&mut byte).map(drop),
        Reply::Endless => {
            stream.write_all(b"HTTP/1.1 200 X\r\nconnection: close\r\n\r\n[")?;
            loop {
                stream.write_all(&[b' '; 8192])?;
            }
        }
    }
}
