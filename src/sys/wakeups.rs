//! Waiting for many things at once: descriptors that become ready, each with a number, and one moment.

use rustix::event::{Timespec, epoll};
use rustix::io::Errno;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

/// The number that stands for the moment.
pub const MOMENT: u64 = u64::MAX;
/// How many events are fetched at once.
const AT_ONCE: usize = 32;

/// Descriptors that are waited for. One that is closed is no longer waited for.
#[derive(Debug)]
pub struct Wakeups {
    epoll: OwnedFd,
    /// Goes on while the host is suspended.
    timer: OwnedFd,
}

impl Wakeups {
    pub fn new() -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let timer = timerfd_create(TimerfdClockId::Boottime, flags)?;
        let data = epoll::EventData::new_u64(MOMENT);
        epoll::add(&epoll, &timer, data, epoll::EventFlags::IN)?;
        Ok(Self { epoll, timer })
    }

    /// Waits for a descriptor to become readable, too.
    pub fn add(&self, fd: impl AsFd, number: u64) -> io::Result<()> {
        let data = epoll::EventData::new_u64(number);
        Ok(epoll::add(&self.epoll, fd, data, epoll::EventFlags::IN)?)
    }

    /// Waits for what the kernel calls an exceptional condition, too (POLLPRI).
    pub fn add_urgent(&self, fd: impl AsFd, number: u64) -> io::Result<()> {
        let data = epoll::EventData::new_u64(number);
        Ok(epoll::add(&self.epoll, fd, data, epoll::EventFlags::PRI)?)
    }

    /// No longer waits for a descriptor, one that other processes may still hold.
    pub fn remove(&self, fd: impl AsFd) {
        let _ = epoll::delete(&self.epoll, fd); // it may have been removed already
    }

    /// Sets the moment, from now; without one, none comes.
    pub fn set_moment(&self, from_now: Option<Duration>) -> io::Result<()> {
        let value = from_now.map_or(Timespec::default(), |duration| Timespec {
            tv_sec: duration.as_secs().try_into().unwrap_or(i64::MAX),
            // Zero would mean none.
            tv_nsec: i64::from(duration.subsec_nanos()).max(1),
        });
        let setting = Itimerspec { it_interval: Timespec::default(), it_value: value };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &setting)?;
        Ok(())
    }

    /// Waits; adds the numbers of what is ready. After the moment has come there is none until it is set again.
    pub fn wait(&self, ready: &mut Vec<u64>) -> io::Result<()> {
        let mut events: Vec<epoll::Event> = Vec::with_capacity(AT_ONCE);
        loop {
            match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), None) {
                Ok(_) => break,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        for event in events {
            let number = event.data.u64();
            if number == MOMENT {
                let mut count = [0; 8];
                let _ = rustix::io::read(&self.timer, &mut count); // only so that it is no longer ready
            }
            ready.push(number);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ready_and_the_moment_are_told_by_their_numbers() {
        let wakeups = Wakeups::new().unwrap();
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        wakeups.add(&reader, 7).unwrap();
        rustix::io::write(&writer, b"x").unwrap();
        let mut ready = Vec::new();
        wakeups.wait(&mut ready).unwrap();
        assert_eq!(ready, [7]);
        wakeups.remove(&reader);
        wakeups.set_moment(Some(Duration::ZERO)).unwrap();
        ready.clear();
        wakeups.wait(&mut ready).unwrap();
        assert_eq!(ready, [MOMENT]);
    }
}
