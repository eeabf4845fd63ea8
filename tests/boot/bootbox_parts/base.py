"""What every box stands on: the check of the machine, and the base system."""
import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time

PROJECT = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../.."))
HOME = os.path.abspath(os.environ.get("BOOTBOX_HOME") or PROJECT + "/target/boxes")
SUITE = "bookworm"  # of a box that names none
PACKAGES = ("systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,tmux,git,sudo,procps,passwd,"
            "python3,strace,cron")
REVISION = "1"  # raised when make_base() changes what it makes
CGROUP2 = ('{ [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ] || '
           'mount -t cgroup2 none /sys/fs/cgroup; }')


class Failed(Exception):
    code = 1


class Cannot(Failed):
    code = 77


class Interrupted(BaseException):
    def __init__(self, number):
        self.signal = number


def say(*words):
    print("bootbox:", *words, file=sys.stderr, flush=True)


def on_signal(number, _frame):
    for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(s, signal.SIG_IGN)  # one interrupt, then cleaning up in peace
    raise Interrupted(number)


def read(path):
    with open(path, errors="replace") as f:
        return f.read()


def tail(path, lines=25):
    try:
        return "\n".join("  | " + x for x in read(path).splitlines()[-lines:])
    except OSError:
        return ""


def need_machine():
    """Raises Cannot, with the reason, where no box can boot."""
    if os.geteuid() != 0:
        raise Cannot("not root")
    for tool, package in (("systemd-nspawn", "systemd-container"), ("debootstrap", "debootstrap"),
                          ("nsenter", "util-linux"), ("mkfs.ext4", "e2fsprogs")):
        if not shutil.which(tool):
            raise Cannot("no %s (Debian package %s)" % (tool, package))
    r = subprocess.run(["unshare", "-m", "-p", "-f", "-u", "-i", "-n", "-C", "--propagation",
                        "private", "sh", "-c", CGROUP2 + " && mount -t tmpfs none /mnt"],
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if r.returncode:
        raise Cannot("no namespaces, or no cgroup2: " + r.stdout.decode(errors="replace").strip())
    try:
        group = os.path.join(cgroup2_root(), "bootbox.check.%d" % os.getpid())
        os.mkdir(group)
        kill = os.path.exists(group + "/cgroup.kill")
        os.rmdir(group)
    except OSError as e:
        raise Cannot("cannot make a cgroup: %s" % e)
    if not kill:
        raise Cannot("the kernel has no cgroup.kill (Linux 5.14 has)")


def cgroup2_root():
    for line in read("/proc/self/mountinfo").splitlines():
        mount, fs = line.split(" - ", 1)
        if fs.split()[0] == "cgroup2":
            return mount.split()[4]
    raise Cannot("no cgroup2 hierarchy is mounted")


@contextlib.contextmanager
def locked(path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    while True:
        with open(path, "a") as f:
            fcntl.flock(f, fcntl.LOCK_EX)
            try:
                if os.stat(path).st_ino != os.fstat(f.fileno()).st_ino:
                    continue  # destroyed while we waited: take the new file
            except FileNotFoundError:
                continue
            yield
            return


def mirror():
    """The Debian mirror of this machine's apt."""
    if os.environ.get("BOOTBOX_MIRROR"):
        return os.environ["BOOTBOX_MIRROR"]
    files = ["/etc/apt/sources.list"]
    if os.path.isdir("/etc/apt/sources.list.d"):
        files += sorted("/etc/apt/sources.list.d/" + x for x in os.listdir("/etc/apt/sources.list.d"))
    for path in files:
        if os.path.isfile(path):
            m = re.search(r"^\s*(?:URIs:|deb\s+(?:\[[^]]*\]\s*)?)\s*(\S+/debian/?)(\s|$)", read(path), re.M)
            if m:
                return m.group(1)
    raise Cannot("no Debian mirror in the sources of apt: set BOOTBOX_MIRROR")


def base_tree(suite):
    """The base system, made when it is not there: the lowest layer of every box."""
    if not re.fullmatch(r"[a-z]+", suite):
        raise Failed("a suite is called like bookworm, not %r" % suite)
    key = hashlib.sha256("|".join([REVISION, suite, PACKAGES]).encode()).hexdigest()[:12]
    tree = "%s/base/%s-%s" % (HOME, suite, key)
    if not os.path.isdir(tree):
        with locked(HOME + "/base/.lock"):
            if not os.path.isdir(tree):
                begin = time.time()
                make_base(tree, suite)
                say("base system made in %.1f s" % (time.time() - begin))
    return tree


def make_base(tree, suite):
    work, log = tree + ".part", HOME + "/base/debootstrap.log"
    shutil.rmtree(work, ignore_errors=True)
    say("making the base system of %s, once (log: %s)" % (suite, log))
    p = None
    try:
        with open(log, "w") as f:
            # With keyrings absent debootstrap warns and goes on only when told so; it is not.
            p = subprocess.Popen(["debootstrap", "--variant=minbase", "--include=" + PACKAGES, suite,
                                  work, mirror()], stdin=subprocess.DEVNULL, stdout=f, stderr=f,
                                 start_new_session=True)
            if p.wait():
                raise Cannot("debootstrap failed (%d):\n%s" % (p.returncode, tail(log)))
        for path, text in (("etc/hostname", "bootbox\n"), ("etc/machine-id", ""),
                           ("etc/default/locale", "LANG=C.UTF-8\n"),
                           ("etc/hosts", "127.0.0.1 localhost\n::1 localhost\n")):
            with open(os.path.join(work, path), "w") as f:
                f.write(text)
        os.makedirs(work + "/var/log/journal", exist_ok=True)  # the journal outlives a crash
        for cache in ("var/cache/apt/archives", "var/lib/apt/lists"):
            shutil.rmtree(os.path.join(work, cache), ignore_errors=True)
            os.makedirs(os.path.join(work, cache, "partial"))
        os.rename(work, tree)
    finally:
        if p and p.poll() is None:
            os.killpg(p.pid, signal.SIGKILL)
            p.wait()
        umount_below(work)
        shutil.rmtree(work, ignore_errors=True)


def umount_below(directory):
    for line in reversed(read("/proc/self/mountinfo").splitlines()):
        mount = line.split()[4]
        if mount == directory or mount.startswith(directory + "/"):
            subprocess.run(["umount", "-l", mount])
