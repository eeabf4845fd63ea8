//! `/proc/<pid>/stat`, of which a few fields matter (pure). See proc(5).

/// The flag of a process that is being ended (include/linux/sched.h), in field 9.
const PF_EXITING: u64 = 0x4;

/// What `/proc/<pid>/stat` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Whether it computes, or waits for a processor (field 3).
    pub running: bool,
    /// Its parent (field 4).
    pub parent: i32,
    /// Process group (field 5).
    pub group: i32,
    /// Session (field 6).
    pub session: i32,
    /// The foreground process group of its terminal (field 8); -1 without one.
    pub foreground: i32,
    /// How many threads it has (field 20).
    pub threads: u32,
    /// When it started, in clock ticks since boot (field 22): with the pid it names a process
    /// for good, since pids are used again.
    pub start: u64,
}

impl Stat {
    /// Parses the file; none for a process that has ended. The command name is in parentheses
    /// and may hold anything, parentheses and line feeds included, so fields are counted from the
    /// last `)`.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let after = text.iter().rposition(|&byte| byte == b')')? + 1;
        let text = std::str::from_utf8(&text[after..]).ok()?;
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let field = |number: usize| fields.get(number - 3).copied();
        // A zombie runs nothing and holds nothing, yet keeps its pid and start time for as long as
        // its parent does not reap it; the first process of a container may never do that.
        // One that is being ended, kill -9 above all, comes to that after its memory is given back.
        let flags: u64 = field(9)?.parse().ok()?;
        if matches!(field(3)?, "Z" | "X") || flags & PF_EXITING != 0 {
            return None;
        }
        Some(Self {
            running: field(3)? == "R",
            parent: field(4)?.parse().ok()?,
            group: field(5)?.parse().ok()?,
            session: field(6)?.parse().ok()?,
            foreground: field(8)?.parse().ok()?,
            threads: field(20)?.parse().ok()?,
            start: field(22)?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_counted_after_the_last_parenthesis() {
        let text = b"7 (a) R 1 (\n) S 1 42 7 34816 43 4194304 1 2 3 4 5 6 7 8 20 0 1 0 98765 1 2";
        let stat = Stat::parse(text).unwrap();
        let expected = Stat {
            running: false,
            parent: 1,
            group: 42,
            session: 7,
            foreground: 43,
            threads: 1,
            start: 98765,
        };
        assert_eq!(stat, expected);
        let busy = String::from_utf8_lossy(text).replace(") S", ") R");
        assert_eq!(Stat::parse(busy.as_bytes()), Some(Stat { running: true, ..expected }));
        assert_eq!(Stat::parse(&text.map(|byte| if byte == b'S' { b'Z' } else { byte })), None);
        let ending = String::from_utf8_lossy(text).replace("4194304", "4194308");
        assert_eq!(Stat::parse(ending.as_bytes()), None);
        assert_eq!(Stat::parse(b"7 (a"), None);
        assert_eq!(Stat::parse(b"7 (a) S 1 2 3"), None);
    }
}
