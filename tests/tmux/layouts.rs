//! Layouts: what our parser takes, tmux takes; what kills a server never gets past the parser.

use terminal_lobby::tmux::command;
use terminal_lobby::tmux::control::Reply;
use terminal_lobby::tmux::layout::Layout;

#[test]
fn every_layout_that_tmux_makes_parses_and_can_be_applied_again() {
    let (sandbox, server) = super::sandbox();
    let mut builder = super::builder(&server);
    let window = server
        .list()
        .unwrap()
        .unwrap()
        .panes
        .iter()
        .find(|p| p.session == b"base")
        .unwrap()
        .window_id;
    for (split, target) in [
        ("-h", "base:0.0"),
        ("-v", "base:0.1"),
        ("-h", "base:0.1"),
        ("-v", "base:0.0"),
        ("-h", "base:0.4"),
    ] {
        sandbox.tmux(["split-window", split, "-t", target, "--", "sleep", "1000"]).ok();
        let layouts =
            |sandbox: &crate::support::Sandbox| sandbox.panes("#{session_name} #{window_layout}");
        let before = layouts(&sandbox);
        let text = before.iter().find_map(|line| line.strip_prefix("base ")).unwrap();
        let layout = Layout::parse(text).unwrap();
        // 3.8 and later write another form, and read both.
        if !text.starts_with('{') {
            assert_eq!(layout.to_string(), text);
        }
        builder.exchange(&[command::tile(window)]).unwrap();
        let replies = builder.exchange(&[command::select_layout(window, &layout)]).unwrap();
        assert_eq!(replies, [Reply::Done(String::new())]);
        assert_eq!(layouts(&sandbox), before);
    }
    builder.finish().unwrap();
}

#[test]
fn single_byte_damage_never_reaches_the_server() {
    let (sandbox, server) = super::sandbox();
    sandbox.tmux(["split-window", "-t", "base", "--", "sleep", "1000"]).ok();
    let text = sandbox.panes("#{window_layout}")[0].clone();
    let mut taken = 0;
    for at in 0..text.len() {
        for byte in "0x,{}[]<-#".chars() {
            let mut damaged: Vec<char> = text.chars().collect();
            damaged[at] = byte;
            let damaged: String = damaged.into_iter().collect();
            let Ok(layout) = Layout::parse(&damaged) else { continue };
            taken += u32::from(damaged != text);
            // What the server gets is never what it or anybody wrote.
            assert_eq!(Layout::parse(&layout.to_string()), Ok(layout));
        }
    }
    let has_sum = !text.starts_with('{');
    assert!(!has_sum || taken == 0, "the checksum or the grammar catches each: {taken}");
    assert!(server.list().unwrap().is_some());
}
