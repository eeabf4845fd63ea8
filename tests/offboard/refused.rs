//! What is refused, with nothing changed.

use super::{CUT, SAYS_NOTHING, configure, everything, host, offboard};

#[test]
fn root_system_accounts_and_unknown_names_are_not_cut() {
    let Some(host) = host("offboard::refused::root_system_accounts_and_unknown_names_are_not_cut")
    else {
        return;
    };
    host.sh("echo svc:x:77:77::/:/bin/sh >>/etc/passwd; echo toor:x:0:0::/:/bin/sh >>/etc/passwd");
    let before = everything(&host);
    for (name, why) in [
        ("root", "'root' is not a user who can be cut"),
        ("toor", "toor is a system account: uid 0 is below 1000"),
        ("svc", "svc is a system account: uid 77 is below 1000"),
        ("nobody1", "/etc/passwd has no user nobody1"),
        ("../ann", "'../ann' is not a user who can be cut"),
    ] {
        let run = offboard(&host, ["cut", name]).code(3);
        assert!(run.err().contains(why), "{name}: {}", run.err());
    }
    assert_eq!(everything(&host), before);
    assert!(host.root(["ls", CUT]).code != 0, "nothing is on record");
    let run = host.as_user("bob", ["/opt/tl/provision", "offboard", "cut", "ann"]).code(3);
    assert!(
        run.err().contains("error: 'provision offboard cut' must be run as root"),
        "{}",
        run.err()
    );
}

#[test]
fn lesson_33_an_admin_is_cut_by_name_only_and_never_the_last_one() {
    let test = "offboard::refused::lesson_33_an_admin_is_cut_by_name_only_and_never_the_last_one";
    let Some(host) = host(test) else { return };
    let roster = |rows: &str| {
        host.sh(&format!(
            "mkdir -p /var/lib/terminal-lobby/applied
             printf 'users:\\n{rows}' >/var/lib/terminal-lobby/applied/roster.yaml"
        ))
    };
    let ann = "  ann: {authentik_user: a, k8s_user: a, tier: admin}\\n";
    roster(ann);
    let before = everything(&host);
    let run = offboard(&host, ["cut", "ann"]).code(3);
    assert!(
        run.err().contains("error: ann is an admin\nhint: provision offboard cut ann --admin"),
        "{}",
        run.err()
    );
    let run = offboard(&host, ["cut", "ann", "--admin"]).code(3);
    assert!(run.err().contains("ann is the last admin of the applied roster"), "{}", run.err());
    assert_eq!(everything(&host), before);
    roster(&format!("{ann}  bob: {{authentik_user: b, k8s_user: b, tier: admin}}\\n"));
    offboard(&host, ["cut", "ann"]).code(3);
    offboard(&host, ["cut", "ann", "--admin"]).ok();
    let run = offboard(&host, ["cut", "bob", "--admin"]).code(3);
    assert!(run.err().contains("last admin"), "one who is cut counts no more: {}", run.err());
}

#[test]
fn nothing_is_archived_or_removed_before_its_time() {
    let Some(host) = host("offboard::refused::nothing_is_archived_or_removed_before_its_time")
    else {
        return;
    };
    let to = ["--to", "/root/archives"];
    let archive = || offboard(&host, ["archive", "ann"].into_iter().chain(to));
    let run = archive().code(3);
    assert!(run.err().contains("ann is not cut"), "{}", run.err());
    offboard(&host, ["cut", "ann"]).ok();
    host.sh("install -d -o bob /root/open; install -d -m 777 /root/wide");
    for (to, why) in
        [("/root/open", "belongs to uid"), ("/root/wide", "others than root"), ("/no", "No such")]
    {
        let run = offboard(&host, ["archive", "ann", "--to", to]).code(3);
        assert!(run.err().contains(why), "{}", run.err());
    }
    host.sh("mount -t tmpfs -o size=64k small /root/wide
             head -c 300000 /dev/urandom >/home/ann/big");
    host.sh("chmod 755 /root/wide");
    let run = offboard(&host, ["archive", "ann", "--to", "/root/wide"]).code(3);
    assert!(
        run.err().contains("MiB are free") || run.err().contains("are needed"),
        "{}",
        run.err()
    );
    host.sh("mkdir /home/ann/m; mount --bind /etc /home/ann/m");
    let run = archive().code(3);
    assert!(
        run.err()
            .contains("error: /home/ann/m is mounted inside the home\nhint: umount /home/ann/m"),
        "{}",
        run.err()
    );
    host.sh("umount /home/ann/m");
    host.start_as("ann", &["sleep", "1000"]);
    super::wait_until_runs(&host);
    let run = archive().code(3);
    assert!(run.err().contains("error: processes of ann are running"), "{}", run.err());
    offboard(&host, ["cut", "ann"]).ok();
    let json = offboard(&host, ["archive", "ann", "--json", "--to", "/root/archives"]).ok().json();
    let (file, digest) =
        (json["archive"]["file"].as_str().unwrap(), json["archive"]["digest"].as_str().unwrap());
    let remove =
        |confirm: &str| offboard(&host, ["remove", "ann", "--archive", file, "--confirm", confirm]);
    let right = format!("ann@{}", &digest[..12]);
    let run = remove(&right).code(3);
    assert!(run.err().contains(", 7 days after the cut"), "{}", run.err());
    configure(&host, SAYS_NOTHING);
    host.sh("mkdir -p /var/lib/terminal-lobby/applied; cd /var/lib/terminal-lobby/applied
         echo 'users: {ann: {authentik_user: a, k8s_user: a, tier: power-user}}' >roster.yaml");
    let run = remove(&right).code(3);
    assert!(run.err().contains("the applied roster still has a row of ann"), "{}", run.err());
    host.sh("rm /var/lib/terminal-lobby/applied/roster.yaml");
    for (confirm, why) in [
        ("ann", "expected NAME@DIGEST"),
        ("bob@0123456789ab", "--confirm names 'bob', not ann"),
        ("ann@0123", "at least 12 hexadecimal digits"),
        ("ann@000000000000", "its digest is not the one"),
    ] {
        let run = remove(confirm).code(3);
        assert!(run.err().contains(why), "{}", run.err());
    }
    host.sh("echo more >/home/.terminal-lobby-frozen/ann/more");
    let run = remove(&right).code(3);
    assert!(
        run.err().contains("the archive does not hold what the frozen home holds"),
        "{}",
        run.err()
    );
    host.sh("rm /home/.terminal-lobby-frozen/ann/more");
    host.sh(&format!("printf x | dd of={file} bs=1 seek=100 conv=notrunc 2>/dev/null"));
    let run = remove(&right).code(3);
    assert!(run.err().contains("its digest is not the one"), "{}", run.err());
    assert!(host.root(["id", "ann"]).code == 0);
    offboard(&host, ["uncut", "ann"]).ok();
    assert_eq!(host.sh("stat -c %U /home/ann/big").trim(), "root");
}
