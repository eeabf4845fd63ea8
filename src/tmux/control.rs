//! Reading control mode (pure): which part of the stream answers which of our commands.
//!
//! A command from standard input is answered between `%begin T N 1` and `%end` or `%error`;
//! blocks with another last number belong to hooks and to the client's own first command, and
//! lines outside a block are notifications. What a command prints is not escaped there, so we
//! ask only for ids in this mode.

/// The answer to one command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// What it printed, without the last line feed.
    Done(String),
    /// Why it failed, as the server says.
    Failed(String),
}

/// Collects replies from a stream that arrives in pieces.
#[derive(Debug, Default)]
pub struct Replies {
    partial: Vec<u8>,
    block: Option<Block>,
    /// The client said that it is leaving.
    pub exited: bool,
    /// How many blocks have ended that answer no command of ours: those of the client's own
    /// arguments first.
    pub others_ended: usize,
}

#[derive(Debug)]
struct Block {
    ours: bool,
    lines: Vec<String>,
}

impl Replies {
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
            self.others_ended += usize::from(!block.ours);
            if block.ours {
                let text = block.lines.join("\n");
                let done = line.starts_with("%end ");
                replies.push(if done { Reply::Done(text) } else { Reply::Failed(text) });
            }
        } else if let Some(block) = &mut self.block {
            block.lines.push(line.to_owned());
        } else if line.starts_with("%begin ") {
            self.block = Some(Block { ours: line.ends_with(" 1"), lines: Vec::new() });
        } else if line == "%exit" || line.starts_with("%exit ") {
            self.exited = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What 3.3a printed for four commands on standard input.
    const STREAM: &str = "%begin 1795192990 260 0\n%end 1795192990 260 0\n%window-add @0\n\
        %session-changed $0 boot\n%begin 1795192990 267 1\n$1 @1 0 %1\n%end 1795192990 267 1\n\
        %begin 1795192990 268 1\n%end 1795192990 268 1\n%begin 1795192990 269 1\n\
        parse error: unknown command: bogus\n%error 1795192990 269 1\n%unlinked-window-add @1\n\
        %begin 1795192990 271 1\n%2\n%end 1795192990 271 1\n%exit\n";

    #[test]
    fn replies_are_ours_only_and_in_order_however_the_stream_is_cut() {
        let expected = [
            Reply::Done("$1 @1 0 %1".to_owned()),
            Reply::Done(String::new()),
            Reply::Failed("parse error: unknown command: bogus".to_owned()),
            Reply::Done("%2".to_owned()),
        ];
        for size in 1..STREAM.len() {
            let (mut reader, mut replies) = (Replies::default(), Vec::new());
            STREAM.as_bytes().chunks(size).for_each(|chunk| reader.feed(chunk, &mut replies));
            assert_eq!(replies, expected, "in pieces of {size}");
            assert!(reader.exited);
            assert_eq!(reader.others_ended, 1);
        }
    }
}
