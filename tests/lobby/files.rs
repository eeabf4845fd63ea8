//! Files that are given to sessions and fetched from them.

use super::client::{Client, Event};
use super::door::{get, post_json};
use super::lab::{Lobby, scenario};
use super::page::can_run;
use super::terminal::birth_id;
use crate::support::run::run_within;
use crate::support::{AgentLab, wait_for};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

const PART: usize = 60 << 10;

fn begin(lobby: &Lobby, session: &str, upload: &str, name: &str, size: usize) -> Client {
    let mut client = Client::connect(lobby, "/api/files/upload");
    let begin =
        json!({"type": "begin", "session": session, "upload": upload, "name": name, "size": size});
    client.send_text(&begin.to_string());
    client
}

fn id(number: u32) -> String {
    format!("{number:032x}")
}

/// Sends a file from a place on, and gives the last answer.
fn send(client: &mut Client, bytes: &[u8]) -> Value {
    for part in bytes.chunks(PART) {
        assert!(client.send_binary(part));
        let said = client.next_json();
        if said["type"] != "taken" {
            return said;
        }
    }
    client.next_json()
}

fn upload(lobby: &Lobby, session: &str, number: u32, name: &str, bytes: &[u8]) -> Value {
    let mut client = begin(lobby, session, &id(number), name, bytes.len());
    let ready = client.next_json();
    if ready["type"] != "ready" {
        return ready;
    }
    send(&mut client, bytes)
}

fn lobby() -> (Lobby, String, PathBuf) {
    let lobby = Lobby::with_sessions(&["alpha"]);
    let session = birth_id(&lobby, "alpha");
    let dir = lobby.sandbox.user_state().join("lobby/files").join(&session);
    (lobby, session, dir)
}

fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_file_goes_on_after_a_broken_line_and_is_private_whole_and_never_over_another() {
    let (lobby, session, dir) = lobby();
    let bytes: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    let mut first = begin(&lobby, &session, &id(1), "../Bild vom Tag.png", bytes.len());
    assert_eq!(first.next_json(), json!({"type": "ready", "from": 0}));
    for part in bytes[..4 * PART].chunks(PART) {
        assert!(first.send_binary(part));
        assert_eq!(first.next_json()["type"], "taken");
    }
    // The line is broken, which the lobby does not know: a half-open one.
    let mut second = begin(&lobby, &session, &id(1), "../Bild vom Tag.png", bytes.len());
    assert_eq!(second.next_json(), json!({"type": "ready", "from": 4 * PART}));
    second.cut();
    let mut third = begin(&lobby, &session, &id(1), "../Bild vom Tag.png", bytes.len());
    assert_eq!(third.next_json(), json!({"type": "ready", "from": 4 * PART}));
    let path = dir.join("Bild_vom_Tag.png");
    assert_eq!(send(&mut third, &bytes[4 * PART..]), json!({"type": "done", "path": path}));
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    // A browser that did not hear of the end.
    third.cut();
    let mut fourth = begin(&lobby, &session, &id(1), "../Bild vom Tag.png", bytes.len());
    assert_eq!(fourth.next_json()["type"], "ready");
    assert_eq!(fourth.next_json(), json!({"type": "done", "path": path}));
    let again = upload(&lobby, &session, 2, "Bild vom Tag.png", b"other");
    assert_eq!(again["path"], json!(dir.join("Bild_vom_Tag-2.png")));
    assert_eq!(upload(&lobby, &session, 3, "empty", b"")["type"], "done");
    assert_eq!(names(&dir), ["Bild_vom_Tag-2.png", "Bild_vom_Tag.png", "empty"]);
}

#[test]
fn two_files_are_uploaded_at_once_and_what_is_cancelled_or_too_much_does_not_stay() {
    let (lobby, session, dir) = lobby();
    let open = |number| begin(&lobby, &session, &id(number), "a", 100);
    let (mut first, mut second) = (open(1), open(2));
    assert_eq!(first.next_json()["type"], "ready");
    assert_eq!(second.next_json()["type"], "ready");
    let mut third = open(3);
    assert!(matches!(third.next(Duration::from_millis(300)), Event::Nothing), "it waits");
    assert_eq!(names(&dir).len(), 2);
    first.send_text(r#"{"type":"cancel"}"#);
    assert_eq!(third.next_json()["type"], "ready");
    assert!(second.send_binary(&[0; 101]));
    assert_eq!(second.next_json()["type"], "failed");
    third.send_text(r#"{"type":"cancel"}"#);
    wait_for("nothing is left", || names(&dir).is_empty().then_some(()));
    let refused = upload(&lobby, &session, 4, "a", &[]);
    assert_eq!(refused["type"], "done", "{refused}");
    for (session, upload, size) in [
        (session.as_str(), id(5).as_str(), 65 << 20),
        ("0123456789abcdef", &id(5), 1),
        ("../../../../../x", &id(5), 1),
        (&session, "../x", 1),
        (&session, "", 1),
    ] {
        let mut client = begin(&lobby, session, upload, "a", size);
        let said = client.next_json();
        assert_eq!((&said["type"], &said["final"]), (&json!("failed"), &json!(true)), "{said}");
    }
    let client = &mut Client::connect(&lobby, "/api/files/upload");
    client.send_text(r#"{"type":"begin","session":"x","upload":"y","name":"z","size":-1}"#);
    assert!(matches!(client.next(Duration::from_secs(10)), Event::Closed(_)));
}

#[test]
fn many_small_files_follow_each_other_and_one_that_stalls_gives_its_turn_away() {
    let (lobby, session, dir) = lobby();
    let mut stalled = [1, 2].map(|number| begin(&lobby, &session, &id(number), "stalled", 100));
    for client in &mut stalled {
        assert_eq!(client.next_json()["type"], "ready");
    }
    let mut third = begin(&lobby, &session, &id(3), "small", 1);
    let begun = Instant::now();
    let ready = loop {
        match third.next(Duration::from_secs(20)) {
            Event::Json(said) => break said,
            Event::Nothing => assert!(begun.elapsed() < Duration::from_mins(1)),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(ready["type"], "ready");
    assert!(begun.elapsed() > Duration::from_secs(20), "as long as a line may be silent");
    assert_eq!(send(&mut third, b"x")["type"], "done");
    // More than are known at once.
    for number in 4..80 {
        let said = upload(&lobby, &session, number, "small", b"x");
        assert_eq!(said["type"], "done", "{number}: {said}");
    }
    let whole = names(&dir).into_iter().filter(|name| name.starts_with("small")).count();
    assert_eq!(whole, 77);
}

#[test]
fn a_link_in_place_of_the_files_leads_nowhere() {
    let (lobby, session, dir) = lobby();
    let elsewhere = lobby.sandbox.root().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    std::fs::create_dir_all(dir.parent().unwrap().parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(&elsewhere, dir.parent().unwrap()).unwrap();
    assert_eq!(upload(&lobby, &session, 1, "a", b"x")["type"], "failed");
    assert_eq!(names(&elsewhere), [""; 0]);
}

#[test]
fn files_below_the_sessions_directory_are_fetched_once_and_nothing_else() {
    let (lobby, session, _) = lobby();
    let home = lobby.sandbox.home();
    std::fs::create_dir(home.join("sub")).unwrap();
    std::fs::write(home.join("sub/page.html"), "<script>alert(1)</script>").unwrap();
    std::fs::write(lobby.sandbox.root().join("secret"), "no").unwrap();
    std::os::unix::fs::symlink("../secret", home.join("link")).unwrap();
    nix::unistd::mkfifo(&home.join("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let ask = |what: &str, path: &str| {
        let body = json!({"session": session, "path": path}).to_string();
        let (status, body) = post_json(&lobby, &format!("/api/files/{what}"), &body);
        (status, serde_json::from_str::<Value>(&body).unwrap_or_default())
    };
    let (status, listed) = ask("list", "");
    assert_eq!(status, 200, "{listed}");
    let entries: Vec<&str> =
        listed["entries"].as_array().unwrap().iter().map(|e| e["name"].as_str().unwrap()).collect();
    assert!(entries.contains(&"sub") && !entries.contains(&"link") && !entries.contains(&"fifo"));
    assert_eq!(ask("list", "sub").1["entries"][0]["name"], "page.html");
    let (status, file) = ask("open", "sub/page.html");
    assert_eq!(status, 200, "{file}");
    let address = format!("/api/files/fetched/{}", file["word"].as_str().unwrap());
    let answer = get(&lobby, &address);
    for line in [
        "content-type: application/octet-stream",
        "content-disposition: attachment",
        "x-content-type-options: nosniff",
        "content-security-policy: default-src 'none'; sandbox",
        "content-length: 25",
    ] {
        assert!(answer.contains(line), "{line}: {answer}");
    }
    assert!(answer.ends_with("<script>alert(1)</script>"));
    assert!(get(&lobby, &address).starts_with("HTTP/1.1 404"));
    let begin = Instant::now();
    for path in
        ["link", "fifo", "sub", "../secret", "/etc/passwd", "/proc/self/environ", "none", ""]
    {
        let (status, said) = ask("open", path);
        assert!((400..500).contains(&status), "{path}: {status} {said}");
    }
    for path in ["..", "/", "sub/page.html", "link"] {
        let (status, said) = ask("list", path);
        assert!((400..500).contains(&status), "{path}: {status} {said}");
    }
    assert!(begin.elapsed() < Duration::from_secs(10), "nothing hangs");
}

/// An image of one point, as `dot.png`.
fn dot(dir: &Path) {
    let png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
    std::fs::write(dir.join("png.b64"), png).unwrap();
    run_within(
        std::process::Command::new("sh")
            .args(["-c", "base64 -d png.b64 >dot.png"])
            .current_dir(dir),
        Duration::from_secs(10),
    )
    .ok();
}

#[test]
fn an_image_that_a_message_names_is_shown_and_one_pasted_is_named_in_the_prompt() {
    let name = "lobby::files::an_image_that_a_message_names_is_shown_and_one_pasted_is_named_in_the_prompt";
    if !can_run(name) {
        return;
    }
    let Some(lab) = AgentLab::new() else { return };
    dot(&lab.sandbox.work());
    let claude = lab.start_claude("talk", &lab.sandbox.work(), &[]);
    lab.prompt(&claude, "see dot.png, none.png and https://example.org/far.png");
    let lobby = Lobby::beside(Rc::clone(&lab.sandbox));
    let mut play = scenario("files-in-text.mjs");
    run_within(play.arg(&lobby.url), Duration::from_mins(2)).ok();
}

#[test]
fn files_are_pasted_dropped_chosen_and_downloaded() {
    if !can_run("lobby::files::files_are_pasted_dropped_chosen_and_downloaded") {
        return;
    }
    let lobby = Lobby::with_sessions(&["alpha"]);
    let home = lobby.sandbox.home();
    std::fs::create_dir(home.join("sub")).unwrap();
    std::fs::write(home.join("sub/<b>x\n.txt"), "inside").unwrap();
    dot(&home);
    let mut play = scenario("files.mjs");
    play.arg(&lobby.url).arg(lobby.pid().to_string());
    run_within(&mut play, Duration::from_mins(2)).ok();
}
