//! What a watch does at which moment (pure). Times are since boot.

use std::time::Duration;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Task {
    /// Note the deaths that came together, and bring back.
    Settle,
    /// List again what to wait for.
    List,
    /// Bring back what had to wait.
    Comeback,
    /// See whether memory is still short.
    Memory,
    /// Warn where an agent nears its limit.
    Warn,
    /// Listen to the kernel's notice again.
    Listen,
    /// Have idle agents give back their memory, since it is short.
    MakeRoom,
    /// Have agents give back their memory that have been idle for long.
    Suspend,
}

/// The moments that are to come.
#[derive(Debug, Default)]
pub struct Schedule {
    tasks: Vec<(Duration, Task)>,
}

impl Schedule {
    /// Plans a task at `at`, unless it comes before that anyway.
    pub fn by(&mut self, task: Task, at: Duration) {
        match self.tasks.iter_mut().find(|(_, known)| *known == task) {
            Some((time, _)) => *time = at.min(*time),
            None => self.tasks.push((at, task)),
        }
    }

    /// Removes a task.
    pub fn cancel(&mut self, task: Task) {
        self.tasks.retain(|(_, known)| *known != task);
    }

    /// When the next task comes.
    pub fn next(&self) -> Option<Duration> {
        self.tasks.iter().map(|(time, _)| *time).min()
    }

    /// Takes a task that is due at `now`, the one that is most urgent first.
    pub fn take(&mut self, now: Duration) -> Option<Task> {
        let due = self.tasks.iter().filter(|(time, _)| *time <= now);
        let task = due.map(|(_, task)| *task).min()?;
        self.cancel(task);
        Some(task)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_come_once_each_when_they_are_due() {
        let seconds = Duration::from_secs;
        let mut schedule = Schedule::default();
        assert_eq!((schedule.next(), schedule.take(seconds(9))), (None, None));
        schedule.by(Task::List, seconds(5));
        schedule.by(Task::List, seconds(7));
        schedule.by(Task::Settle, seconds(6));
        schedule.by(Task::Memory, seconds(8));
        schedule.cancel(Task::Memory);
        assert_eq!(schedule.next(), Some(seconds(5)));
        assert_eq!(schedule.take(seconds(4)), None);
        assert_eq!(schedule.take(seconds(6)), Some(Task::Settle), "deaths come first");
        assert_eq!(schedule.take(seconds(6)), Some(Task::List));
        assert_eq!((schedule.next(), schedule.take(seconds(99))), (None, None));
    }
}
