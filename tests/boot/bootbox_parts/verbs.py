"""The verbs of the command line."""
import contextlib
import os
import re
import shutil
import subprocess
import time
import uuid

import base
from base import (HOME, Cannot, Failed, Interrupted, base_tree, locked, need_machine, read, say, tail,
                  umount_below)
from box import NSPAWN, Box

TIME_TO_LIVE = "7200"


def check(_a):
    need_machine()
    print("this machine can boot a box")


def mirror(_a):
    print(base.mirror())


def build(a):
    need_machine()
    box, parent = Box(a.name, must_exist=False), Box(a.parent) if a.parent else None
    if parent and (parent.running() or os.path.exists(parent.image)):
        raise Failed("--from %s: it runs, or has a disk of its own" % a.parent)
    lower = [] if parent else [base_tree(a.suite)]
    if parent:
        lower = [parent.dir + "/upper", *parent.layers()] if parent.layers() else [parent.root]
    with locked(box.lock):
        destroy_box(box)
        begin, done = time.time(), False
        try:
            os.makedirs(box.root)
            lay_out(box, lower, a.image)
            fill(box, a)
            done = True
        finally:
            if not done:
                destroy_box(box)
        say("built %s in %.1f s" % (a.name, time.time() - begin))


def lay_out(box, lower, image):
    """The file system: an overlay on `lower`; where there is none, or on a disk, a copy of it."""
    for part in ("upper", "work"):
        os.mkdir(box.dir + "/" + part)
    with open(box.dir + "/layers", "w") as f:
        f.write("\n".join(lower))
    if not image and not box.mounted("true", stderr=subprocess.DEVNULL).wait():
        return
    os.rename(box.dir + "/layers", box.dir + "/copied-layers")
    if image:
        size = re.fullmatch(r"(\d+)([MG])", image)
        if not size:
            raise Failed("a size is like 2G or 800M, not " + image)
        with open(box.image, "wb") as f:
            f.truncate(int(size.group(1)) << (20 if size.group(2) == "M" else 30))
        subprocess.run(["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0", box.image], check=True)
    elif len(lower) > 1:
        raise Cannot("no overlayfs here to stack boxes with")
    else:
        say("no overlayfs here: a copy instead")
    source = lower[0]
    script = ""
    if len(lower) > 1:
        source = box.dir + "/work"
        script = 'mount -t overlay overlay -o "lowerdir=%s" "$1"\n' % ":".join(lower)
    if box.mounted(script + 'tar -C "$1" --xattrs --acls -c . | tar -C "$2" --xattrs --acls -xp',
                   source, box.root).wait():
        raise Failed("cannot copy the file system")


def fill(box, a):
    # A machine id of its own: every boot without one is a first boot, and enables units by preset.
    script = ('echo "$2" >"$1/etc/machine-id"; echo "$3" >"$1/etc/hostname"; '
              'printf "127.0.1.1 %s\\n" "$3" >>"$1/etc/hosts"')
    if box.mounted(script, box.root, uuid.uuid4().hex, box.name).wait():
        raise Failed("cannot prepare the box")
    for copy in a.copys:
        src, _, dst = copy.partition(":")
        copy_tree(box, src, dst)
    for deb in a.debs:
        copy_tree(box, deb, "/var/tmp/debs/" + os.path.basename(deb))
    if a.debs and box.in_nspawn("sh", "-ec", "dpkg -i /var/tmp/debs/*; rm -r /var/tmp/debs"):
        raise Failed("dpkg -i failed")
    for script in a.runs:
        if box.in_nspawn("sh", "-ec", script):
            raise Failed("--run failed: " + script)


def boot(a):
    need_machine()
    box = Box(a.name)
    with locked(box.lock):
        start(box, a.timeout)


def start(box, timeout):
    begin = time.monotonic()
    box.make_cgroup()
    up, p = False, None
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(box.dir + "/exit")
        procs = "/sys/fs/cgroup/%s/box/cgroup.procs" % os.path.basename(box.cgroup)
        run = ["timeout", "--foreground", "-s", "KILL", TIME_TO_LIVE,
               "sh", "-c", 'echo $$ >"$0" && exec "$@"', procs,
               *box.nspawn(), "-b", "--console=pipe", "--", "systemd.show_status=1"]
        # When systemd-nspawn is killed its box goes on running: it is taken down as well.
        script = NSPAWN + ('e=$1 k=$2; shift 2; set +e; "$@"; r=$?; echo $r >"$e"; '
                           'case $r in 0|133) ;; *) echo 1 >"$k";; esac')
        kill = "/sys/fs/cgroup/%s/cgroup.kill" % os.path.basename(box.cgroup)
        with open(box.console, "wb") as log:
            p = box.mounted(script, box.dir + "/exit", kill, *run, cgroup=True,
                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        state, seen = "starting", False
        while state not in ("running", "degraded"):
            leader = box.leader()
            seen = seen or bool(leader)
            if p.poll() is not None:
                if not seen:
                    raise Cannot("systemd-nspawn could not start the box:\n" + tail(box.console))
                raise Failed("the box went down while booting:\n" + tail(box.console))
            if leader:
                with contextlib.suppress(Failed):
                    state = box.inside("systemctl", "is-system-running", timeout=10).stdout.strip()
            if time.monotonic() - begin > timeout:
                jobs = box.inside("systemctl", "list-jobs", "--no-pager").stdout if leader else ""
                raise (Failed if seen else Cannot)("not up after %g s (%s)\n%s%s" % (
                    timeout, state, jobs, tail(box.console)))
            time.sleep(0.03)
        up = True
    finally:
        if not up:
            box.kill()
            if p:
                p.wait()
    say("%s is up (%s) in %.2f s" % (box.name, state, time.monotonic() - begin))


def execute(a):
    """As root without asking the box's systemd, which may be busy going down; as a user in a logind
    session of that user's own, as ssh would give."""
    box = Box(a.name)
    if a.user == "root":
        return execute_directly(box, a)
    unit = "bootbox-exec-%s.service" % uuid.uuid4().hex[:12]
    run = ["systemd-run", "--quiet", "--wait", "--pipe", "--service-type=exec", "--unit=" + unit,
           "-p", "SendSIGHUP=no", "-p", "User=" + a.user, "-p", "WorkingDirectory=~",
           "-p", "PAMName=login"]
    # The manager would expand $NAME.
    command = a.command[:1] + [x.replace("$", "$$") for x in a.command[1:]]
    p = subprocess.Popen(box.enter(*run, "--", *command))
    stop = None
    try:
        code = p.wait(a.timeout)
    except subprocess.TimeoutExpired:
        stop = 124
    except Interrupted as e:
        stop = 128 + e.signal
    if stop is not None:
        with contextlib.suppress(Failed):
            box.inside("systemctl", "kill", "--kill-who=all", "-s", "KILL", unit)
        p.kill()
        p.wait()
        return stop
    # systemd-run also ends with 0 when the box is torn away under it: ask the manager.
    live = box.inside("systemctl", "show", "-p", "Version") if box.leader() else None
    if live is None or live.returncode:
        say("box %s went down during the command" % box.name)
        return 125
    if code:
        shown = box.inside("systemctl", "show", "-p", "ExecMainCode,ExecMainStatus", unit).stdout
        shown = dict(x.split("=", 1) for x in shown.split("\n") if "=" in x)
        box.inside("systemctl", "reset-failed", unit)
        if shown.get("ExecMainCode") in ("2", "3"):
            return 128 + int(shown["ExecMainStatus"])
        return int(shown.get("ExecMainStatus") or 0) or code
    return code


def execute_directly(box, a):
    clean = ["env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
             "HOME=/root", "USER=root", "LANG=C.UTF-8"]
    p = subprocess.Popen(box.enter(*clean, *a.command), cwd="/")
    try:
        code = p.wait(a.timeout)
    except subprocess.TimeoutExpired:
        code = 124
    except Interrupted as e:
        code = 128 + e.signal
    finally:
        if p.poll() is None:
            p.kill()
            p.wait()
    if not box.leader():
        say("box %s went down during the command" % box.name)
        return 125
    return code if code >= 0 else 128 - code


def copy_in(a):
    copy_tree(Box(a.name), a.src, a.dst)


def copy_tree(box, src, dst):
    """A file to the path `dst`, or a directory's content into it; owned by root. A link in the box
    leads nowhere on this machine."""
    if not dst.startswith("/"):
        raise Failed("the place in the box must be absolute: " + dst)
    if os.path.isdir(src):
        pack, into = ["tar", "-C", src, "-c", "."], dst
    else:
        into, leaf = os.path.split(dst)
        pack = ["tar", "-C", os.path.dirname(src) or ".", "--transform", "flags=r;s,.*,%s," % leaf,
                "-c", os.path.basename(src)]
    unpack = ["sh", "-c", 'mkdir -p "$1" && tar -C "$1" -xp --no-same-owner', "sh", into]
    with subprocess.Popen(pack, stdout=subprocess.PIPE) as a:
        if box.leader():
            b = subprocess.Popen(box.enter(*unpack), stdin=a.stdout)
        else:
            b = box.mounted('exec chroot "$@"', box.root, *unpack, stdin=a.stdout)
        a.stdout.close()
        if b.wait() or a.wait():
            raise Failed("copying %s to %s in box %s failed" % (src, dst, box.name))
    if not box.leader():
        box.wait_for_disk()


def shut(box, verb, timeout):
    begin = time.monotonic()
    said = box.inside("systemctl", "--no-block", verb, timeout=15)
    if not box.wait_gone(timeout):
        jobs = box.inside("systemctl", "list-jobs", "--no-pager").stdout if box.leader() else ""
        box.kill()
        raise Failed("%s: no %s in %g s, killed (%s)\n%s%s" % (
            box.name, verb, timeout, said.stdout.strip(), jobs, tail(box.console)))
    box.kill()  # only the empty cgroup is left
    code = read(box.dir + "/exit").strip()
    if code not in ("0", "133"):
        raise Failed("%s went down, but not cleanly (%s)\n%s" % (box.name, code, tail(box.console)))
    say("%s: %s in %.2f s" % (box.name, verb, time.monotonic() - begin))


def poweroff(a):
    box = Box(a.name)
    with locked(box.lock):
        shut(box, "poweroff", a.timeout)


def reboot(a):
    box = Box(a.name)
    with locked(box.lock):
        shut(box, "reboot", a.timeout)
        start(box, a.timeout)


def crash(a):
    box = Box(a.name)
    with locked(box.lock):
        if not box.leader():
            raise Failed("box %s is not running" % box.name)
        box.kill(power_loss=True)


def log(a):
    print(read(Box(a.name).console), end="")


def destroy(a):
    names = a.names
    if a.all and os.path.isdir(HOME + "/boxes"):
        names = [n for n in sorted(os.listdir(HOME + "/boxes")) if not n.startswith(".")]
    for name in names:
        box = Box(name, must_exist=False)
        with locked(box.lock):
            destroy_box(box)
            with contextlib.suppress(OSError):
                os.unlink(box.lock)


def destroy_box(box):
    box.kill()
    umount_below(box.dir)
    if os.path.isdir(box.dir):
        shutil.rmtree(box.dir)
