//! One view: a terminal, with what was typed into it and not taken yet, and what it printed and was not shown yet.

use super::client::{AT_ONCE, Client, Role};
use super::input::{Header, Input};
use super::output::Unshown;
use super::stored::{Kept, Store};
use crate::error::Error;
use crate::protocol::terminal::{self, Size};
use bytes::{Buf, Bytes};
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::task::{Context, Poll};

/// Most bytes of one message of output.
const MAX_PIECE: usize = 32 << 10;
/// No more is taken from the page while the terminal has not taken so many bytes of input.
const MAX_TYPED: usize = 256 << 10;
/// Brings the page's terminal to where tmux's redraw begins, wherever its output broke off: ends an escape sequence
/// (CAN) and a synchronized update, and sets what tmux sets only at its start: the alternate screen, the keypad's
/// application mode and, from 3.5 on, bracketed paste. What is so already stays so.
const BEFORE_REDRAW: &[u8] = b"\x18\x1b[?2026l\x1b[?1049h\x1b[?1h\x1b=\x1b[?2004h";

/// One view of a session. Its tmux client ends when this is dropped, unless another process goes on with it.
#[derive(Debug)]
pub(super) struct View {
    client: Client,
    pub(super) session: String,
    pub(super) watch: bool,
    /// Whether it types and sizes.
    drives: bool,
    pub(super) unshown: Unshown,
    typed: VecDeque<Bytes>,
    waiting: usize,
    input: Input,
    has_ended: bool,
    /// What was printed before is gone with an earlier process.
    is_adopted: bool,
    kept: Kept,
}

impl View {
    pub(super) fn new(
        client: Client,
        id: &str,
        store: &Store,
        session: String,
        role: Role,
    ) -> Result<Self, Error> {
        let watch = matches!(role, Role::Watches | Role::Visits);
        let drives = role == Role::Drives;
        let failed = |source| Error::Io { doing: "keeping a view", source };
        let header = Header { session: session.clone(), watch };
        let input = if store.keeps() {
            Input::new(&header).map_err(failed)?
        } else {
            Input::for_this_process()
        };
        input.set_drives(drives).map_err(failed)?;
        let kept = store.keep(id, client.as_fd(), input.kept()).map_err(failed)?;
        Ok(Self {
            client,
            session,
            watch,
            drives,
            unshown: Unshown::default(),
            typed: VecDeque::new(),
            waiting: 0,
            input,
            has_ended: false,
            is_adopted: false,
            kept,
        })
    }

    /// Goes on with one of an earlier process.
    ///
    /// # Errors
    /// If it has ended, or is none.
    pub(super) fn adopt(terminal: OwnedFd, input: OwnedFd, kept: Kept) -> io::Result<Self> {
        let (input, Header { session, watch }) = Input::adopt(input)?;
        let drives = input.drives()?;
        Ok(Self {
            client: Client::adopt(terminal)?,
            session,
            watch,
            drives,
            unshown: Unshown::default(),
            typed: VecDeque::new(),
            waiting: 0,
            input,
            has_ended: false,
            is_adopted: true,
            kept,
        })
    }

    /// Goes on for a page that has so many bytes of output; returns what it lacks, as messages. `None` if it cannot.
    pub(super) fn resume(&mut self, received: u64) -> Option<Vec<Bytes>> {
        // The page sends again what it does not know to be taken.
        self.typed.clear();
        self.waiting = 0;
        if self.is_adopted {
            self.unshown = Unshown::after(received)?;
            let mut message = terminal::output(BEFORE_REDRAW.len());
            message.extend_from_slice(BEFORE_REDRAW);
            self.unshown.push(message.freeze());
            if let Err(error) = self.client.redraw() {
                tracing::debug!(%error, "a terminal was not drawn anew");
            }
            self.is_adopted = false;
        }
        let lacking = self.unshown.since(received)?;
        self.unshown.shown(received);
        Some(lacking)
    }

    /// Whether more may be typed.
    pub(super) fn has_room(&self) -> bool {
        self.waiting < MAX_TYPED
    }

    pub(super) fn drives(&self) -> bool {
        self.drives
    }

    pub(super) fn set_drives(&mut self, drives: bool) {
        self.drives = drives;
        if let Err(error) = self.input.set_drives(drives) {
            tracing::debug!(%error, "that a view drives is not kept");
        }
    }

    /// Takes what was typed. What is typed into a view that does not drive ends here.
    pub(super) fn type_in(&mut self, bytes: Bytes) {
        if !self.drives {
            if let Err(error) = self.input.drop_typed(bytes.len() as u64) {
                tracing::debug!(%error, "what was typed was not counted");
            }
        } else if !bytes.is_empty() {
            self.waiting += bytes.len();
            self.typed.push_back(bytes);
        }
    }

    /// How many bytes of input the terminal has taken.
    pub(super) fn taken(&self) -> u64 {
        self.input.taken()
    }

    /// The words of the tmux command that lets it size, or not any more.
    pub(super) fn sizes(&self, is_sizing: bool, is_guest: bool) -> Option<Vec<std::ffi::OsString>> {
        self.client.sizes(is_sizing, is_guest)
    }

    pub(super) fn resize(&self, size: Size) {
        if let Err(error) = self.client.resize(size) {
            tracing::debug!(%error, "a terminal was not resized");
        }
    }

    /// Gives the terminal what was typed, as far as it takes it.
    pub(super) fn poll_type(&mut self, cx: &mut Context<'_>) {
        while let Some(first) = self.typed.front_mut() {
            let input = &mut self.input;
            match self.client.poll_write(cx, |terminal| input.give(terminal, first)) {
                Poll::Ready(Ok(bytes)) => {
                    first.advance(bytes);
                    self.waiting -= bytes;
                    if first.is_empty() {
                        self.typed.pop_front();
                    }
                }
                Poll::Ready(Err(error)) => {
                    // It has ended: its output says so.
                    tracing::debug!(%error, "a terminal takes nothing");
                    self.typed.clear();
                    self.waiting = 0;
                }
                Poll::Pending => break,
            }
        }
    }

    /// Reads output, if it may be: all that there is, up to a limit. `None` at its end.
    pub(super) fn poll_output(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.has_ended {
            return Poll::Ready(None);
        }
        if !self.unshown.has_room() {
            return Poll::Pending;
        }
        let mut message = terminal::output(AT_ONCE);
        while message.len() <= MAX_PIECE {
            match self.client.poll_read(cx, &mut message) {
                Poll::Pending => break,
                Poll::Ready(Ok(bytes)) if bytes > 0 => {}
                // A terminal whose programs have all ended gives an error.
                Poll::Ready(_) => {
                    self.has_ended = true;
                    break;
                }
            }
        }
        match (message.len() > 1, self.has_ended) {
            (true, _) => {
                // What is kept takes no more room than it needs.
                let is_small = message.len() < AT_ONCE / 2;
                let message =
                    if is_small { Bytes::copy_from_slice(&message) } else { message.freeze() };
                self.unshown.push(message.clone());
                Poll::Ready(Some(message))
            }
            (false, true) => Poll::Ready(None),
            (false, false) => Poll::Pending,
        }
    }

    /// Waits for the client to end.
    pub(super) async fn ended(&mut self) {
        self.client.ended().await;
    }
}

impl Drop for View {
    fn drop(&mut self) {
        if !self.kept.is_left() {
            self.client.kill();
        }
    }
}
