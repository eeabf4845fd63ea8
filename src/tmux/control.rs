//! Reading control mode (pure): which part of the stream answers which of our commands.
//!
//! A command from standard input is answered between `%begin T N 1` and `%end` or `%error`;
//! blocks with another last number belong to hooks and to the client's own arguments, and lines
//! outside a block are notifications. What a command prints is not escaped there, so we ask only
//! for ids and for options in this mode.
//!
//! Each of our commands is sent as a line of two (see [`super::hooks::held`]): one stores the
//! command's text, and one runs it as a hook, since tmux runs no hooks of the user's for what a
//! hook does. So its answer is the first block with another last number after these two. If there are
//! no hooks about commands, it is sent as it is, and answered by its own block.

use std::collections::VecDeque;

/// The answer to one command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// What it printed, without the last line feed.
    Done(String),
    /// Why it failed, as the server says.
    Failed(String),
}

/// Which block is expected for the command whose turn it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Expected {
    /// That of storing its text.
    #[default]
    Stored,
    /// That of running it.
    Run,
    /// Its own.
    Answer,
}

/// Collects replies from a stream that arrives in pieces.
#[derive(Debug, Default)]
pub struct Replies {
    partial: Vec<u8>,
    block: Option<Block>,
    expected: Expected,
    /// For each command that was sent and not answered, whether it was sent as it is.
    direct: VecDeque<bool>,
    /// The client said that it is leaving.
    pub exited: bool,
    /// What the last of the client's own arguments prints. They are executed when it was seen.
    pub greeting: String,
    pub greeted: bool,
    /// Why one of the client's own arguments failed.
    pub refusal: Option<String>,
}

#[derive(Debug)]
struct Block {
    ours: bool,
    lines: Vec<String>,
}

impl Replies {
    /// Waits for `greeting` first.
    pub fn after(greeting: String) -> Self {
        Self { greeting, ..Self::default() }
    }

    /// Expects the reply to a command, which is sent as it is (`direct`) or stored and run.
    pub fn expect(&mut self, direct: bool) {
        self.direct.push_back(direct);
    }

    /// Takes the next bytes of the stream and appends the replies they complete.
    pub fn feed(&mut self, bytes: &[u8], replies: &mut Vec<Reply>) {
        self.partial.extend_from_slice(bytes);
        let Some(end) = self.partial.iter().rposition(|&byte| byte == b'\n') else { return };
        let rest = self.partial.split_off(end + 1);
        let complete = std::mem::replace(&mut self.partial, rest);
        for line in complete[..end].split(|&byte| byte == b'\n') {
            self.line(&String::from_utf8_lossy(line), replies);
        }
    }

    fn line(&mut self, line: &str, replies: &mut Vec<Reply>) {
        if line.starts_with("%end ") || line.starts_with("%error ") {
            let Some(block) = self.block.take() else { return };
            self.end_block(&block, line.starts_with("%end "), replies);
        } else if let Some(block) = &mut self.block {
            block.lines.push(line.to_owned());
        } else if line.starts_with("%begin ") {
            self.block = Some(Block { ours: line.ends_with(" 1"), lines: Vec::new() });
        } else if line == "%exit" || line.starts_with("%exit ") {
            self.exited = true;
        }
    }

    fn end_block(&mut self, block: &Block, done: bool, replies: &mut Vec<Reply>) {
        let text = block.lines.join("\n");
        if !self.greeted {
            self.greeted = done && !block.ours && text == self.greeting;
            if !done {
                self.refusal = Some(text);
            }
            return;
        }
        if self.expected == Expected::Answer {
            self.expected = Expected::Stored;
            self.direct.pop_front();
            if !block.ours {
                replies.push(if done { Reply::Done(text) } else { Reply::Failed(text) });
                return;
            }
            // This block belongs to the next command already.
            replies.push(Reply::Failed("tmux could not read the command".to_owned()));
        }
        if !block.ours {
            return; // a command that follows in the same text
        }
        if self.expected == Expected::Stored && self.direct.front() == Some(&true) {
            self.direct.pop_front();
            replies.push(if done { Reply::Done(text) } else { Reply::Failed(text) });
            return;
        }
        self.expected = match self.expected {
            _ if !done => {
                self.direct.pop_front();
                replies.push(Reply::Failed(text)); // the rest of the line is dropped
                Expected::Stored
            }
            Expected::Stored => Expected::Run,
            Expected::Run | Expected::Answer => Expected::Answer,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What 3.3a printed for five commands on standard input, the first with two others in its
    /// text, the third one that tmux cannot parse.
    const STREAM: &str = "%begin 1795192990 260 0\n%end 1795192990 260 0\n%window-add @0\n\
        %begin 1795192990 261 0\nhello\n%end 1795192990 261 0\n%session-changed $0 boot\n\
        %begin 1795192990 265 1\n%end 1795192990 265 1\n%begin 1795192990 266 1\n\
        %end 1795192990 266 1\n%begin 1795192990 267 0\n$1 @1 0 %1\n%end 1795192990 267 0\n\
        %begin 1795192990 268 0\n%end 1795192990 268 0\n%begin 1795192990 269 0\n\
        %end 1795192990 269 0\n%begin 1795192990 270 1\n%end 1795192990 270 1\n\
        %begin 1795192990 271 1\n%end 1795192990 271 1\n%begin 1795192990 272 0\n\
        no space\n%error 1795192990 272 0\n%begin 1795192990 273 1\n%end 1795192990 273 1\n\
        %begin 1795192990 274 1\n%end 1795192990 274 1\n%begin 1795192990 275 1\n\
        too long\n%error 1795192990 275 1\n%unlinked-window-add @1\n%begin 1795192990 276 1\n\
        %end 1795192990 276 1\n%begin 1795192990 277 1\n%end 1795192990 277 1\n\
        %begin 1795192990 278 0\n%2\n%end 1795192990 278 0\n%exit\n";

    #[test]
    fn replies_are_ours_only_and_in_order_however_the_stream_is_cut() {
        let expected = [
            Reply::Done("$1 @1 0 %1".to_owned()),
            Reply::Failed("no space".to_owned()),
            Reply::Failed("tmux could not read the command".to_owned()),
            Reply::Failed("too long".to_owned()),
            Reply::Done("%2".to_owned()),
        ];
        for size in 1..STREAM.len() {
            let (mut reader, mut replies) = (Replies::after("hello".to_owned()), Vec::new());
            STREAM.as_bytes().chunks(size).for_each(|chunk| reader.feed(chunk, &mut replies));
            assert_eq!(replies, expected, "in pieces of {size}");
            assert!(reader.exited && reader.greeted);
        }
    }

    #[test]
    fn commands_that_are_sent_as_they_are_and_others_each_get_their_own_reply() {
        let stream = "%begin 1 1 0\nhello\n%end 1 1 0\n\
            %begin 1 2 1\n$1\n%end 1 2 1\n%begin 1 3 0\nof a hook\n%end 1 3 0\n\
            %begin 1 4 1\nno such window\n%error 1 4 1\n\
            %begin 1 5 1\n%end 1 5 1\n%begin 1 6 1\n%end 1 6 1\n%begin 1 7 0\n$2\n%end 1 7 0\n\
            %begin 1 8 1\n$3\n%end 1 8 1\n";
        let expected = [
            Reply::Done("$1".to_owned()),
            Reply::Failed("no such window".to_owned()),
            Reply::Done("$2".to_owned()),
            Reply::Done("$3".to_owned()),
        ];
        let (mut reader, mut replies) = (Replies::after("hello".to_owned()), Vec::new());
        for direct in [true, true, false, true] {
            reader.expect(direct);
        }
        reader.feed(stream.as_bytes(), &mut replies);
        assert_eq!(replies, expected);
    }
}
