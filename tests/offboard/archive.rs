//! Homes as their owners leave them: archived whole, read back, removed, and nothing else touched.

use super::{SAYS_NOTHING, configure, everything, host, offboard};
use std::time::Instant;

/// What a home may hold, for its owner to make.
const HOSTILE: &str = r#"cd
mkdir -p deep 'a b' dir; echo one >dir/one; ln dir/one deep/same; chmod 4755 dir/one
ln -s /etc/shadow shadow; ln -s / slash; ln -s /home/bob bob; ln -s loop loop
mkfifo fifo; python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
truncate -s 200G hole; printf x | dd of=hole bs=1 seek=100000000000 conv=notrunc 2>/dev/null
truncate -s 10G end; printf end >>end; truncate -s 1M empty-hole; : >empty
printf 'a\n' >'new
line'; printf 'b' >"$(printf 'not-utf8-\377\033[2J')"; touch -d '1960-01-01 00:00:00.25' old
touch -d '2100-01-01' future; touch -- -rf '--checkpoint-action=exec=sh'; mkdir .hidden; chmod 0 .hidden
name=$(printf 'n%.0s' $(seq 200)); mkdir -p $name/$name/$name; echo long >$name/$name/$name/$name
ln -s $name$name$name long-link; head -c 700000 /dev/urandom >random; echo secret >private; chmod 0 private
( cd deep; for i in $(seq 150); do mkdir d; cd d; done; echo bottom >file )
ln /srv/shared/of-bob hard-of-bob"#;

#[test]
fn a_hostile_home_is_archived_whole_and_removed_without_touching_anything_else() {
    let test = "offboard::archive::a_hostile_home_is_archived_whole_and_removed";
    let Some(host) = host(test) else { return };
    configure(&host, SAYS_NOTHING);
    // A hard link to another's file, from before it was forbidden.
    host.sh("mkdir -p /home/bob /home/srv; echo of-bob >/home/bob/file; chown bob /home/bob/file");
    let script = HOSTILE.replace("\nln /srv/shared/of-bob hard-of-bob", "");
    host.sh_as("ann", &script);
    host.sh("ln /home/bob/file /home/ann/hard-of-bob");
    let fixed = host.root(["chattr", "+i", "/home/ann/dir", "/home/ann/empty"]).code == 0;
    println!("immutable files: {fixed}");
    let (before, tree) = (everything(&host), host.sh("find /home/ann | sort | cksum"));
    offboard(&host, ["cut", "ann"]).ok();
    let begin = Instant::now();
    let made = offboard(&host, ["archive", "ann", "--to", "/root/archives", "--json"]).ok().json();
    println!("200 GB of holes took {:?}", begin.elapsed());
    assert!(begin.elapsed().as_secs() < 20);
    assert_eq!(host.sh("stat -c '%U %a' /home/.terminal-lobby-frozen").trim(), "root 700");
    assert!(host.as_user("bob", ["ls", "/home/.terminal-lobby-frozen/ann"]).code != 0);
    let file = made["archive"]["file"].as_str().unwrap();
    let manifest = file.strip_suffix(".tar.zst").or(file.strip_suffix(".tar.gz")).unwrap();
    assert_eq!(host.sh(&format!("stat -c %a {file} {manifest}.manifest")), "600\n600\n");
    assert_eq!(
        host.sh(&format!("sha256sum <{file}"))[..64],
        made["archive"]["digest"].as_str().unwrap()[..]
    );
    // Tar itself agrees, which the product does not rely on.
    host.sh(&format!("tar --compare --exclude=ann/hole --exclude=ann/end --file {file} -C /home/.terminal-lobby-frozen"));
    let lines = host.sh(&format!("cat {manifest}.manifest"));
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), usize::try_from(made["archive"]["entries"].as_u64().unwrap()).unwrap());
    let of = |path: &str| {
        lines.iter().find(|line| line["path"] == path).unwrap_or_else(|| panic!("{path}"))
    };
    assert_eq!(of("ann/hole")["size"], 200_u64 << 30);
    assert_eq!(of("ann/shadow")["target"], "/etc/shadow");
    assert_eq!(of("ann/socket")["type"], "socket");
    // A quarter of a second after midnight, in whatever zone the test runs.
    let old = of("ann/old")["mtime"].as_str().unwrap().to_owned();
    assert!(old.starts_with('-') && old.ends_with(".250000000"), "{old}");
    assert_eq!(of("ann/dir/one")["same_as"], "ann/deep/same");
    assert_eq!(of("ann/new\\x0aline")["type"], "file");

    offboard(&host, ["uncut", "ann"]).ok();
    assert_eq!(everything(&host), before);
    assert_eq!(host.sh("find /home/ann | sort | cksum"), tree);
    offboard(&host, ["cut", "ann"]).ok();
    host.sh("mkdir -p /root/second");
    let made = offboard(&host, ["archive", "ann", "--to", "/root/second", "--json"]).ok().json();
    let (file, digest) = (
        made["archive"]["file"].as_str().unwrap(),
        made["archive"]["digest"].as_str().unwrap().to_owned(),
    );
    let confirm = format!("ann@{digest}");
    let dry =
        offboard(&host, ["remove", "ann", "--archive", file, "--confirm", &confirm, "--dry-run"])
            .ok();
    assert!(dry.out().contains("would remove the account ann"), "{}", dry.out());
    assert_eq!(host.root(["id", "ann"]).code, 0);
    offboard(&host, ["remove", "ann", "--archive", file, "--confirm", &confirm]).ok();
    assert_eq!(host.sh("ls -A /home/.terminal-lobby-frozen"), "");
    assert_ne!(host.root(["id", "ann"]).code, 0);
    assert_eq!(host.sh("cat /home/bob/file; stat -c '%U %h' /home/bob/file"), "of-bob\nbob 1\n");
    assert!(host.sh("cat /etc/shadow").contains("root:"));
    let run = offboard(&host, ["cut", "ann"]).code(3);
    assert!(run.err().contains("/etc/passwd has no user ann"), "{}", run.err());
}

#[test]
fn a_home_that_is_a_link_or_anothers_is_not_frozen() {
    let Some(host) = host("offboard::archive::a_home_that_is_a_link_or_anothers_is_not_frozen")
    else {
        return;
    };
    offboard(&host, ["cut", "ann"]).ok();
    let archive = || offboard(&host, ["archive", "ann", "--to", "/root/archives"]);
    for (make, why) in [
        ("mv /home/ann /home/old; ln -s /home/bob /home/ann", "home /home/ann is not a directory"),
        ("rm /home/ann; install -d -o bob /home/ann", "belongs to uid"),
        ("rmdir /home/ann", "home /home/ann does not exist"),
        (
            "mkdir /home/ann; mount -t tmpfs -o uid=20001 own /home/ann",
            "is a file system of its own",
        ),
    ] {
        host.sh(make);
        let run = archive().code(3);
        assert!(run.err().contains(why), "{}", run.err());
    }
    host.sh("umount /home/ann; rmdir /home/ann; mv /home/old /home/ann");
    archive().ok();
}

#[test]
fn names_far_below_count_as_what_an_archive_needs() {
    let test = "offboard::archive::names_far_below_count_as_what_an_archive_needs";
    let Some(host) = host(test) else { return };
    if !std::path::Path::new("/usr/bin/python3").exists() {
        crate::support::lacks::lacks(test, "python3");
        return;
    }
    // Empty files, which take nothing where they are.
    let deep = "import os
os.chdir('/home/ann')
for _ in range(200):
    os.mkdir('d' * 200); os.chdir('d' * 200)
for n in range(2000):
    open(str(n), 'w').close()";
    host.as_user("ann", ["python3", "-c", deep]).ok();
    host.sh("mkdir /root/small; mount -t tmpfs -o mode=700,size=60m small /root/small");
    offboard(&host, ["cut", "ann"]).ok();
    let run = offboard(&host, ["archive", "ann", "--to", "/root/small"]).code(3);
    assert!(
        run.err().contains("59 MiB are free") || run.err().contains("60 MiB are free"),
        "{}",
        run.err()
    );
    assert_eq!(host.sh("ls /root/small"), "");
}
