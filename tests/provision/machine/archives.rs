//! Downloads that are archives: one member is installed, and nothing else of them is trusted.

use super::boxed::MachineBox;
use pretty_assertions::assert_eq;
use std::fmt::Write;

/// Makes archives in /srv/archives, each with what its name says.
const MAKE: &str = r"
import io, os, stat, tarfile, warnings, zipfile
warnings.simplefilter('ignore')
os.makedirs('/srv/archives')
os.chdir('/srv/archives')
TOOL = b'#!/bin/sh\necho a member\n'
NEWER = b'#!/bin/sh\necho a newer one\n'
OTHER = b'#!/bin/sh\necho another\n'
FILE, LINK, HARD, FIFO, DIR = (
    tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE)

def tar(name, *members, mode='w'):
    with tarfile.open(name, mode, format=tarfile.PAX_FORMAT) as archive:
        for path, kind, content in members:
            info = tarfile.TarInfo(path)
            info.type, info.mode = kind, 0o4777
            if kind in (LINK, HARD):
                info.linkname = content
                archive.addfile(info)
            else:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))

def zipped(name, *members, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(name, 'w', method) as archive:
        for path, kind, content in members:
            info = zipfile.ZipInfo(path)
            info.compress_type = method
            info.external_attr = kind << 16
            archive.writestr(info, content)

regular, link = stat.S_IFREG | 0o644, stat.S_IFLNK | 0o777
whole = [('bin/other', FILE, OTHER), ('bin/tool', FILE, TOOL), ('../escape', FILE, OTHER),
         ('/tmp/escape', FILE, OTHER)]
tar('a.tar', *whole)
tar('a.tar.gz', *whole, mode='w:gz')
tar('a.tar.xz', *whole, mode='w:xz')
tar('dot.tar', ('./bin', DIR, b''), ('./bin/tool', FILE, TOOL))
tar('long.tar', ('x' * 300 + '/tool', FILE, TOOL))
tar('newer.tar.gz', ('bin/tool', FILE, NEWER), mode='w:gz')
zipped('a.zip', ('bin/other', regular, OTHER), ('bin/tool', regular, TOOL), ('../escape', regular, OTHER))
zipped('stored.zip', ('bin/tool', 0, TOOL), method=zipfile.ZIP_STORED)

tar('link.tar', ('bin/tool', LINK, '/etc/shadow'))
tar('hard.tar', ('bin/other', FILE, OTHER), ('bin/tool', HARD, 'bin/other'))
tar('fifo.tar', ('bin/tool', FIFO, b''))
tar('directory.tar', ('bin/tool', DIR, b''))
tar('twice.tar', ('bin/tool', FILE, TOOL), ('./bin/tool', FILE, OTHER))
zipped('link.zip', ('bin/tool', link, '/etc/shadow'))
zipped('directory.zip', ('bin/tool/', stat.S_IFDIR | 0o755, b''))
zipped('fifo.zip', ('bin/tool', stat.S_IFIFO | 0o644, b''))
zipped('twice.zip', ('bin/tool', regular, TOOL), ('bin/tool', regular, OTHER))
big = bytes(8 << 20)
tar('bomb.tar.gz', ('zeros', FILE, big), ('bin/tool', FILE, TOOL), mode='w:gz')
tar('bomb.tar.xz', ('bin/tool', FILE, big), mode='w:xz')
zipped('bomb.zip', ('bin/tool', regular, big))
locked = bytearray(open('stored.zip', 'rb').read())
locked[6] |= 1
locked[locked.index(b'PK\x01\x02') + 8] |= 1
open('locked.zip', 'wb').write(locked)
open('half.tar.gz', 'wb').write(open('a.tar.gz', 'rb').read()[:-40])
open('half.tar.xz', 'wb').write(open('a.tar.xz', 'rb').read()[:-40])
open('half.zip', 'wb').write(open('a.zip', 'rb').read()[:-60])
wrong = bytearray(open('stored.zip', 'rb').read())
wrong[wrong.index(b'echo a') + 5] ^= 1
open('wrong.zip', 'wb').write(wrong)
open('plain', 'wb').write(TOOL)
open('empty', 'wb').close()
";

/// A box with the archives in it.
fn with_archives(test: &str) -> Option<MachineBox> {
    let host = MachineBox::new(test)?;
    if !host.check("command -v python3") {
        crate::support::lacks::lacks(test, "python3");
        return None;
    }
    std::fs::write(host.file("/tmp/make.py"), MAKE).unwrap();
    host.sh("python3 /tmp/make.py");
    Some(host)
}

/// The entry that installs a member of an archive at /usr/local/bin/TO.
fn entry(host: &MachineBox, archive: &str, member: &str, to: &str) -> String {
    let hash = host.sh(&format!("sha256sum /srv/archives/{archive} | cut -d' ' -f1"));
    format!(
        "[[download]]\nurl = \"file:///srv/archives/{archive}\"\ninsecure = true\nmax_mb = 1\n\
         path = \"/usr/local/bin/{to}\"\nmember = \"{member}\"\nsha256 = \"{}\"\n",
        hash.trim()
    )
}

/// Nothing of a download is left beside what was installed.
#[track_caller]
fn assert_nothing_left(host: &MachineBox) {
    let left = "find /usr/local/bin /tmp /etc -xdev \\( -name '*.archive*' -o -name '.new-*' -o -name escape \\)";
    assert_eq!(host.sh(left), "");
}

#[test]
fn a_member_of_each_kind_of_archive_is_installed_once() {
    let test = "a_member_of_each_kind_of_archive_is_installed_once";
    let Some(host) = with_archives(test) else { return };
    let long = format!("{}/tool", "x".repeat(300));
    let archives = [
        ("a.tar", "bin/tool"),
        ("a.tar.gz", "bin/tool"),
        ("a.tar.xz", "bin/tool"),
        ("dot.tar", "bin/tool"),
        ("long.tar", &long),
        ("a.zip", "bin/tool"),
        ("stored.zip", "bin/tool"),
    ];
    let mut toml = String::new();
    for (archive, member) in archives {
        write!(toml, "{}", entry(&host, archive, member, &format!("of-{archive}"))).unwrap();
    }
    host.wants(&toml);
    let plan = host.host(&["plan", "--detailed-exitcode"]).code(2).out();
    assert!(plan.contains("+ add      /usr/local/bin/of-a.zip: bin/tool of sha256:"), "{plan}");
    host.host(&["apply"]).ok();
    for (archive, _) in archives {
        let path = format!("/usr/local/bin/of-{archive}");
        assert_eq!(host.sh(&path), "a member\n", "{archive}");
        assert_eq!(host.sh(&format!("stat -c '%a %U %G' {path}")), "755 root root\n", "{archive}");
    }
    assert_nothing_left(&host);
    let before = host.written();
    host.host(&["apply"]).ok();
    assert_eq!(before, host.written());
    host.host(&["plan", "--detailed-exitcode"]).code(0);
}

#[test]
fn nothing_but_the_named_regular_file_of_the_pinned_archive_is_installed() {
    let test = "nothing_but_the_named_regular_file_of_the_pinned_archive_is_installed";
    let Some(host) = with_archives(test) else { return };
    let not_a_file = "'bin/tool' is no regular file in the archive";
    let twice = "the archive has 'bin/tool' more than once";
    let too_large = "the archive unpacks to more than 1048576 bytes";
    let cases = [
        ("link.tar", "bin/tool", not_a_file),
        ("hard.tar", "bin/tool", not_a_file),
        ("fifo.tar", "bin/tool", not_a_file),
        ("directory.tar", "bin/tool", not_a_file),
        ("link.zip", "bin/tool", not_a_file),
        ("fifo.zip", "bin/tool", not_a_file),
        ("directory.zip", "bin/tool", not_a_file),
        ("twice.tar", "bin/tool", twice),
        ("twice.zip", "bin/tool", twice),
        ("bomb.tar.gz", "bin/tool", too_large),
        ("bomb.tar.xz", "bin/tool", too_large),
        ("bomb.zip", "bin/tool", too_large),
        ("locked.zip", "bin/tool", "'bin/tool' is encrypted"),
        ("half.tar.gz", "bin/tool", "unpacking the archive: "),
        ("half.tar.xz", "bin/tool", "unpacking the archive: "),
        ("half.zip", "bin/tool", "unpacking the archive: "),
        ("wrong.zip", "bin/tool", "unpacking the archive: "),
        ("plain", "bin/tool", "neither a zip nor a tar archive"),
        ("empty", "bin/tool", "neither a zip nor a tar archive"),
        ("a.tar", "tool", "the archive has no 'tool'"),
        ("a.zip", "bin/none", "the archive has no 'bin/none'"),
    ];
    let mut toml = String::new();
    for (at, (archive, member, _)) in cases.iter().enumerate() {
        write!(toml, "{}", entry(&host, archive, member, &format!("case-{at}"))).unwrap();
    }
    // The right archive by another hash, and one that is larger than it may be.
    let right = entry(&host, "a.tar", "bin/tool", "by-another-hash");
    let other = host.sh("sha256sum /srv/archives/a.zip | cut -d' ' -f1");
    let own = host.sh("sha256sum /srv/archives/a.tar | cut -d' ' -f1");
    toml += &right.replace(own.trim(), other.trim());
    host.sh("head -c 1500000 /dev/urandom >/srv/archives/large");
    toml += &entry(&host, "large", "bin/tool", "too-large");
    host.wants(&toml);
    let before = host.sh("cat /etc/passwd /etc/shadow | sha256sum; ls -A /usr/local/bin");
    let run = host.host(&["apply"]).code(1);
    let errors = run.err();
    for (at, (archive, _, why)) in cases.iter().enumerate() {
        let line = errors.lines().find(|line| line.contains(&format!("/case-{at}: ")));
        let line = line.unwrap_or_else(|| panic!("{archive}: no error\n{errors}"));
        assert!(line.contains("not installed: ") && line.contains(why), "{archive}: {line}");
    }
    assert!(
        run.err().contains("by-another-hash: not installed: expected sha256:"),
        "{}",
        run.err()
    );
    assert!(run.err().contains("too-large: ") && run.err().contains("more than 1048576 bytes"));
    assert_eq!(host.sh("cat /etc/passwd /etc/shadow | sha256sum; ls -A /usr/local/bin"), before);
    assert_nothing_left(&host);
}

#[test]
fn a_member_follows_its_pin_and_what_a_person_made_of_it_stays() {
    let test = "a_member_follows_its_pin_and_what_a_person_made_of_it_stays";
    let Some(host) = with_archives(test) else { return };
    host.sh("echo mine >/usr/local/bin/theirs");
    host.wants(
        &(entry(&host, "a.zip", "bin/tool", "tool") + &entry(&host, "a.zip", "bin/tool", "theirs")),
    );
    let run = host.host(&["apply"]).ok();
    assert!(run.out().contains("! refused  /usr/local/bin/theirs: sha256:"), "{}", run.out());
    assert_eq!(host.sh("tool; cat /usr/local/bin/theirs"), "a member\nmine\n");
    // Another archive, another member of one archive, the file itself, and back.
    for (archive, member, prints) in [
        ("newer.tar.gz", "bin/tool", "a newer one\n"),
        ("a.zip", "bin/other", "another\n"),
        ("a.zip", "bin/tool", "a member\n"),
    ] {
        host.wants(&entry(&host, archive, member, "tool"));
        host.host(&["apply"]).ok();
        assert_eq!(host.sh("tool"), prints);
        host.host(&["plan", "--detailed-exitcode"]).code(0);
    }
    let unpacked = entry(&host, "plain", "bin/tool", "tool").replace("member = \"bin/tool\"\n", "");
    host.wants(&unpacked);
    host.host(&["plan", "--detailed-exitcode"]).code(0); // the same bytes
    host.wants(&entry(&host, "newer.tar.gz", "bin/tool", "tool"));
    host.host(&["apply"]).ok();
    assert_eq!(host.sh("tool; rm /usr/local/bin/tool"), "a newer one\n");
    let plan = host.host(&["plan", "--detailed-exitcode"]).code(2).out();
    assert!(plan.contains("~ repair   /usr/local/bin/tool: bin/tool of sha256:"), "{plan}");
    host.host(&["apply"]).ok();
    host.sh("tool; echo '# mine' >>/usr/local/bin/tool");
    let run = host.host(&["apply"]).ok();
    assert!(run.out().contains("a person changed it: not overwritten"), "{}", run.out());
    assert!(host.check("grep -q mine /usr/local/bin/tool"));
}

/// A kill between the installation and the record of it, and one in the middle of a download.
#[test]
fn what_a_killed_run_installed_or_left_is_taken_for_its_own() {
    let test = "what_a_killed_run_installed_or_left_is_taken_for_its_own";
    let Some(host) = with_archives(test) else { return };
    host.wants(&entry(&host, "a.tar.xz", "bin/tool", "tool"));
    host.host(&["apply"]).ok();
    let forget = r"python3 - <<'END'
import json
path = '/var/lib/terminal-lobby/applied/machine.json'
record = json.load(open(path))
hash = record['hashes'].pop('/usr/local/bin/tool')
record['made'] = {}
record['unfinished'] = {'download//usr/local/bin/tool': hash}
json.dump(record, open(path, 'w'))
END
echo half >/usr/local/bin/.new-tool.archive.tmp; echo half >/usr/local/bin/.new-tool.tmp";
    host.sh(forget);
    let plan = host.host(&["plan", "--detailed-exitcode"]).code(2).out();
    assert!(plan.contains("~ repair   /usr/local/bin/tool: "), "{plan}");
    host.host(&["apply"]).ok();
    assert_eq!(host.sh("tool"), "a member\n");
    assert_nothing_left(&host);
    host.host(&["plan", "--detailed-exitcode"]).code(0);
}
