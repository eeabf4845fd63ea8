//! Gives back what a process needed only to begin.

use nix::libc;
use std::io::BufRead;

/// Returns free memory of the heap to the system, and forgets what is mapped of the program's own files: what of it is
/// used again is read again, mostly from the cache.
///
/// For a process that waits for hours after a start that ran through most of its program.
pub fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim(3) may be called at any time.
    unsafe {
        libc::malloc_trim(0);
    }
    let Ok(smaps) = std::fs::File::open("/proc/self/smaps") else { return };
    let lines = std::io::BufReader::new(smaps).lines().map_while(Result::ok);
    for (begin, end) in unchanged(lines) {
        // SAFETY: a private mapping of a file that nobody may write to and of which no page was changed, so each page is
        // in the file as it is in memory; it stays mapped, and a page that is used next is read again. A failure
        // changes nothing.
        unsafe {
            libc::madvise(begin as *mut libc::c_void, end - begin, libc::MADV_DONTNEED);
        }
    }
}

/// The ranges of `/proc/self/smaps` (proc(5)) that are of files, that nobody may write to, and of which no page was
/// changed, as relocations do before a range becomes read-only.
fn unchanged(lines: impl Iterator<Item = String>) -> Vec<(usize, usize)> {
    let (mut found, mut range) = (Vec::new(), None);
    for line in lines {
        if let Some(changed) = line.strip_prefix("Anonymous:") {
            found.extend(range.take().filter(|_| changed.trim() == "0 kB"));
        } else if line.split_ascii_whitespace().next().is_some_and(|first| !first.ends_with(':')) {
            range = read_only(&line);
        }
    }
    found
}

/// The range of the line that begins a mapping, if it is a private one of a file that nobody may write to.
fn read_only(line: &str) -> Option<(usize, usize)> {
    let mut fields = line.split_ascii_whitespace();
    let (begin, end) = fields.next()?.split_once('-')?;
    if !matches!(fields.next()?, "r-xp" | "r--p") || !fields.nth(3)?.starts_with('/') {
        return None;
    }
    let number = |text: &str| usize::from_str_radix(text, 16).ok();
    Some((number(begin)?, number(end)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unchanged_pages_of_files_are_forgotten() {
        let text = "\
55d0a000-55d0b000 r-xp 00001000 fd:01 123 /usr/bin/persist
Size:                  4 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
55d0b000-55d0d000 r--p 00002000 fd:01 123 /usr/bin/persist
Anonymous:             0 kB
55d0d000-55d0e000 r--p 00004000 fd:01 123 /usr/bin/persist
Anonymous:             4 kB
55d0e000-55d0f000 rw-p 00005000 fd:01 123 /usr/bin/persist
Anonymous:             0 kB
7ffd0000-7ffd1000 r-xp 00000000 00:00 0 [vdso]
Anonymous:             0 kB
7ffe0000-7ffe1000 r--p 00000000 00:00 0
Anonymous:             0 kB
";
        let found = unchanged(text.lines().map(str::to_owned));
        assert_eq!(found, [(0x55d0_a000, 0x55d0_b000), (0x55d0_b000, 0x55d0_d000)]);
    }

    #[test]
    fn a_process_goes_on_after_it() {
        give_back();
        assert_eq!("7".parse(), Ok(7));
    }
}
