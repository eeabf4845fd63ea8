//! Archives that are unpacked as a whole: a runtime of a pinned version, whose commands all users get.

use super::boxed::MachineBox;
use pretty_assertions::assert_eq;

/// Makes archives in /srv/archives: two versions of a runtime, and what must not be unpacked.
const MAKE: &str = r"
import io, os, tarfile
os.makedirs('/srv/archives')
os.chdir('/srv/archives')
FILE, LINK, HARD, FIFO, DIR, DEVICE = (tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE,
    tarfile.DIRTYPE, tarfile.CHRTYPE)

def tar(name, *members, mode='w:xz'):
    with tarfile.open(name, mode, format=tarfile.PAX_FORMAT) as archive:
        for path, kind, content, bits in members:
            info = tarfile.TarInfo(path)
            info.type, info.mode, info.uid, info.gid = kind, bits, 1000, 1000
            if kind in (LINK, HARD):
                info.linkname = content
                archive.addfile(info)
            else:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))

def runtime(version):
    return [
        ('run-' + version, DIR, b'', 0o777),
        ('run-' + version + '/bin/run', FILE, ('#!/bin/sh\necho ' + version + '\n').encode(), 0o6777),
        ('run-' + version + '/bin/tool', LINK, '../lib/tool.sh', 0o777),
        ('run-' + version + '/lib/tool.sh', FILE, b'#!/bin/sh\necho tool\n', 0o755),
        ('./run-' + version + '/README', FILE, b'text\n', 0o600),
    ]

tar('one.tar.xz', *runtime('1.0'))
tar('two.tar.gz', *runtime('2.0'), mode='w:gz')
tar('up.tar', ('a/../../escape', FILE, b'x', 0o644))
tar('absolute.tar', ('/a/escape', FILE, b'x', 0o644))
tar('out.tar', ('a/l', LINK, '../escape', 0o777))
tar('root.tar', ('a/l', LINK, '/etc', 0o777))
tar('through.tar', ('a/d', DIR, b'', 0o755), ('a/l', LINK, 'd', 0o777), ('a/l/file', FILE, b'x', 0o644))
tar('over.tar', ('a/d', DIR, b'', 0o755), ('a/l', LINK, 'd', 0o777), ('a/l', FILE, b'x', 0o644))
tar('hard.tar', ('a/f', FILE, b'x', 0o644), ('a/h', HARD, 'a/f', 0o644))
tar('fifo.tar', ('a/f', FIFO, b'', 0o644))
tar('device.tar', ('a/f', DEVICE, b'', 0o666))
tar('twice.tar', ('a/f', FILE, b'x', 0o644), ('a/f', FILE, b'y', 0o644))
tar('bomb.tar.gz', ('a/f', FILE, bytes(8 << 20), 0o644), mode='w:gz')
open('half.tar.xz', 'wb').write(open('one.tar.xz', 'rb').read()[:-60])
open('plain', 'wb').write(b'text')
";

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

fn entry(host: &MachineBox, archive: &str, to: &str) -> String {
    let hash = host.sh(&format!("sha256sum /srv/archives/{archive} | cut -d' ' -f1"));
    format!(
        "[[unpack]]\nurl = \"file:///srv/archives/{archive}\"\ninsecure = true\nmax_mb = 1\n\
         path = \"{to}\"\nsha256 = \"{}\"\nlinks = [\"bin/run\", \"bin/tool\"]\n",
        hash.trim()
    )
}

#[test]
fn a_runtime_is_unpacked_once_and_its_commands_follow_the_pin() {
    let test = "a_runtime_is_unpacked_once_and_its_commands_follow_the_pin";
    let Some(host) = with_archives(test) else { return };
    host.wants(&entry(&host, "one.tar.xz", "/opt/run-1.0"));
    host.sh("mkdir -p /opt/.new-run-1.0.tmp/left");
    let plan = host.host(&["plan", "--detailed-exitcode"]).code(2).out();
    for line in [
        "+ add      /opt/run-1.0: sha256:",
        "+ add      /usr/local/bin/run: /opt/run-1.0/bin/run  [intent]",
        "+ add      /usr/local/bin/tool: /opt/run-1.0/bin/tool  [intent]",
    ] {
        assert!(plan.contains(line), "{line}\n{plan}");
    }
    host.host(&["apply"]).ok();
    let nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups sh -c 'run; tool'";
    assert_eq!(host.sh(nobody), "1.0\ntool\n");
    let found = "cd /opt; find . -mindepth 1 -not -name provision -printf '%p %m %U %G\\n' | sort";
    assert_eq!(
        host.sh(found),
        "./run-1.0 755 0 0\n./run-1.0/README 644 0 0\n./run-1.0/bin 755 0 0\n./run-1.0/bin/run 755 0 0\n\
         ./run-1.0/bin/tool 777 0 0\n./run-1.0/lib 755 0 0\n./run-1.0/lib/tool.sh 755 0 0\n"
    );
    let before = host.written();
    host.host(&["apply"]).ok();
    assert_eq!(before, host.written());

    // The same directory is not replaced; another one is, and the links follow. A person's link stays.
    host.wants(&entry(&host, "two.tar.gz", "/opt/run-1.0"));
    let plan = host.host(&["plan"]).ok().out();
    assert!(plan.contains("another archive is unpacked there"), "{plan}");
    host.sh("ln -sfn /bin/true /usr/local/bin/tool");
    host.wants(&entry(&host, "two.tar.gz", "/opt/run-2.0"));
    let run = host.host(&["apply"]).ok();
    assert!(run.out().contains("not a link of this program: it stays"), "{}", run.out());
    assert!(run.out().contains("! report   /opt/run-1.0  [intent]"), "{}", run.out());
    assert_eq!(host.sh("run; readlink /usr/local/bin/tool"), "2.0\n/bin/true\n");
    host.sh("rm -r /opt/run-1.0 /opt/run-2.0; ln -sfn /opt/run-2.0/bin/tool /usr/local/bin/tool");
    host.host(&["apply"]).ok();
    assert_eq!(host.sh(nobody), "2.0\ntool\n");
    host.host(&["plan", "--detailed-exitcode"]).code(0);
}

#[test]
fn nothing_of_an_archive_lands_outside_of_its_new_directory() {
    let test = "nothing_of_an_archive_lands_outside_of_its_new_directory";
    let Some(host) = with_archives(test) else { return };
    for (archive, why) in [
        ("up.tar", "is not a name inside of the archive's directory"),
        ("absolute.tar", "is not a name inside of the archive's directory"),
        ("out.tar", "is a link that leads out of its directory"),
        ("root.tar", "is a link that leads out of its directory"),
        ("through.tar", "a link: not followed"),
        ("over.tar", "File exists"),
        ("hard.tar", "no regular file in the archive"),
        ("fifo.tar", "no regular file in the archive"),
        ("device.tar", "no regular file in the archive"),
        ("twice.tar", "File exists"),
        ("bomb.tar.gz", "unpacks to more than 1048576 bytes"),
        ("half.tar.xz", "unpacking the archive: "),
        ("plain", "neither a zip nor a tar archive"),
    ] {
        host.wants(&entry(&host, archive, "/opt/run"));
        let before = host
            .sh("find /opt /etc /usr/local -printf '%p %m %U %C@\\n' | grep -v '^/opt ' | sort");
        let run = host.host(&["apply"]).code(1);
        let errors = run.err();
        let line = errors.lines().find(|line| line.contains("/opt/run: ")).unwrap_or_default();
        assert!(line.contains(why), "{archive}: {errors}");
        let after = host
            .sh("find /opt /etc /usr/local -printf '%p %m %U %C@\\n' | grep -v '^/opt ' | sort");
        assert_eq!(
            before.replace("/usr/local/bin ", ""),
            after.replace("/usr/local/bin ", ""),
            "{archive}"
        );
    }
    host.sh("mkdir /opt/run; echo mine >/opt/run/file");
    host.wants(&entry(&host, "one.tar.xz", "/opt/run"));
    let run = host.host(&["apply"]).ok();
    assert!(run.out().contains("not unpacked by this program: not overwritten"), "{}", run.out());
    assert_eq!(host.sh("ls -A /opt/run; ls /usr/local/bin | grep -cx run || :"), "file\n0\n");
}
