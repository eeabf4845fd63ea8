//! Takes this process's arguments out of the process list, which every user can read.

use nix::libc;

/// Overwrites the arguments after the program's name with zeros. Those that were read before are copies. If
/// the kernel does not say where they are, they stay.
pub fn hide() {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let Some((first_byte, end)) = range(&stat) else { return };
    let Ok(line) = std::fs::read("/proc/self/cmdline") else { return };
    if line.len() != end - first_byte {
        return;
    }
    let Some(first) = line.iter().position(|byte| *byte == 0) else { return };
    let (from, length) = (first_byte + first + 1, line.len() - first - 1);
    // SAFETY: the kernel says that the arguments of this process are at these addresses: memory of its
    // own stack, which is writable and lives as long as it does. Nothing in this program refers to it after
    // the arguments were copied; the last zero byte of each stays one.
    unsafe { libc::memset(from as *mut libc::c_void, 0, length) };
}

/// Where the arguments begin and end, by `proc_pid_stat(5)`.
fn range(stat: &str) -> Option<(usize, usize)> {
    let (_, fields) = stat.rsplit_once(") ")?; // the name may hold anything
    let mut fields = fields.split_ascii_whitespace().skip(45);
    let begin: usize = fields.next()?.parse().ok()?;
    let end: usize = fields.next()?.parse().ok()?;
    (begin != 0 && end > begin).then_some((begin, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_is_that_of_the_command_line() {
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
        let line = std::fs::read("/proc/self/cmdline").unwrap();
        let (begin, end) = range(&stat).unwrap();
        assert_eq!(end - begin, line.len());
        assert_eq!(range("1 (a) b) R 1"), None);
    }
}
