"""One box: its files, its cgroup, and starting things in it."""
import contextlib
import fcntl
import hashlib
import os
import re
import shlex
import signal
import struct
import subprocess
import time

from base import CGROUP2, HOME, Cannot, Failed, cgroup2_root, read

EXT4_IOC_SHUTDOWN, NO_LOG_FLUSH = 0x8004587D, 2
NSPAWN = CGROUP2 + "\nmkdir -p /run/systemd; mount -t tmpfs -o mode=755 tmpfs /run/systemd\n"


class Box:
    def __init__(self, name, must_exist=True):
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,40}", name):
            raise Failed("a name is 1-41 of a-z 0-9 '-', not %r" % name)
        self.name = name
        self.dir = "%s/boxes/%s" % (HOME, name)
        self.root = self.dir + "/rootfs"
        self.image = self.dir + "/disk.img"
        self.console = self.dir + "/console.log"
        self.lock = "%s/boxes/.%s.lock" % (HOME, name)
        tag = hashlib.sha256(HOME.encode()).hexdigest()[:6]  # same name in another home: no clash
        self.cgroup = "%s/bootbox.%s.%s" % (cgroup2_root(), tag, name)
        if must_exist and not os.path.isdir(self.dir):
            raise Failed("no box %s" % name)

    # The state is read from the cgroup: no pid file can go stale.
    def pids(self):
        found = []
        for directory, _, _ in os.walk(self.cgroup):
            with contextlib.suppress(OSError):
                found += [int(x) for x in read(directory + "/cgroup.procs").split()]
        return found

    def running(self):
        try:
            return "populated 1" in read(self.cgroup + "/cgroup.events")
        except OSError:
            return False

    def leader(self):
        """The box's PID 1 as a pid of this machine, or None."""
        for pid in self.pids():
            try:
                ids = re.search(r"^NSpid:\s*(.*)$", read("/proc/%d/status" % pid), re.M).group(1).split()
            except (OSError, AttributeError):
                continue
            if len(ids) > 1 and ids[-1] == "1":
                return pid
        return None

    def enter(self, *argv):
        pid = self.leader()
        if not pid:
            raise Failed("box %s is not running" % self.name)
        return ["nsenter", "-t", str(pid), "-m", "-u", "-i", "-n", "-p", "-C", "--", *argv]

    def inside(self, *argv, timeout=30):
        try:
            return subprocess.run(self.enter(*argv), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, errors="replace", timeout=timeout)
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(argv, 124, "timed out")

    def layers(self):
        """What the box stands on, topmost first; empty for one with a disk or a tree of its own."""
        with contextlib.suppress(OSError):
            return read(self.dir + "/layers").split("\n")
        return []

    def mounted(self, script, *args, cgroup=False, **kw):
        """Runs a script in a private mount namespace in which the box's file system is mounted."""
        before, layers = "set -e\n", self.layers()
        if os.path.exists(self.image):
            before += "mount -o loop %s %s\n" % (shlex.quote(self.image), shlex.quote(self.root))
        elif layers:
            options = "lowerdir=%s,upperdir=%s,workdir=%s" % (
                ":".join(layers), self.dir + "/upper", self.dir + "/work")
            before += "mount -t overlay overlay -o %s %s\n" % (shlex.quote(options), shlex.quote(self.root))
        if cgroup:
            procs = self.cgroup + "/outer/cgroup.procs"

            def join():
                with open(procs, "w") as f:
                    f.write("0")
            kw["preexec_fn"] = join
        argv = ["unshare", "-m", "--propagation", "private", "sh", "-c", before + script, "sh", *args]
        return subprocess.Popen(argv, start_new_session=True, **kw)

    def nspawn(self):
        return ["systemd-nspawn", "--quiet", "-D", self.root, "-M", self.name, "--register=no",
                "--keep-unit", "--link-journal=no", "--timezone=off", "--private-users=no",
                "--private-network", "--resolv-conf=off"]

    def in_nspawn(self, *argv):
        """Runs a command in the box while it is off, with /proc, /dev and pids of its own."""
        self.make_cgroup()
        args = self.nspawn() + ["--as-pid2", "--pipe", "--setenv=DEBIAN_FRONTEND=noninteractive", "--", *argv]
        p = self.mounted(NSPAWN + 'exec "$@"', *args, cgroup=True, stdin=subprocess.DEVNULL, stdout=2)
        try:
            return p.wait()
        finally:
            self.kill()
            p.wait()

    def make_cgroup(self):
        if self.running():
            raise Failed("box %s is running" % self.name)
        self.remove_cgroup()
        try:
            os.mkdir(self.cgroup)
            for part in ("outer", "box"):  # helpers, and systemd-nspawn with the box
                os.mkdir(self.cgroup + "/" + part)
        except OSError as e:
            raise Cannot("cannot make a cgroup: %s" % e)
        for controller in read(self.cgroup + "/cgroup.controllers").split():
            with contextlib.suppress(OSError):  # so that MemoryMax= and the like hold in the box
                with open(self.cgroup + "/cgroup.subtree_control", "w") as f:
                    f.write("+" + controller)

    def remove_cgroup(self):
        for directory, _, _ in os.walk(self.cgroup, topdown=False):
            for _ in range(100):
                try:
                    os.rmdir(directory)
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.02)

    def wait_gone(self, timeout):
        end = time.monotonic() + timeout
        while self.running():
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

    def kill(self, power_loss=False):
        """SIGKILL to the whole box in one go; with a power loss its disk is cut off first."""
        leader = self.leader()
        if power_loss and os.path.exists(self.image) and leader:
            fd = os.open("/proc/%d/root/" % leader, os.O_RDONLY)
            try:
                fcntl.ioctl(fd, EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
            finally:
                os.close(fd)
        if os.path.isdir(self.cgroup):
            try:
                with open(self.cgroup + "/cgroup.kill", "w") as f:
                    f.write("1")
            except OSError:
                for pid in self.pids():
                    with contextlib.suppress(OSError):
                        os.kill(pid, signal.SIGKILL)
            if not self.wait_gone(20):
                raise Failed("box %s: processes survive SIGKILL: %s" % (self.name, self.pids()))
            self.remove_cgroup()
        self.wait_for_disk()

    def wait_for_disk(self):
        """The mounts are gone; waits until the kernel let go of the disk image."""
        for _ in range(500):
            busy = False
            for device in os.listdir("/sys/block") if os.path.exists(self.image) else []:
                with contextlib.suppress(OSError):
                    busy |= read("/sys/block/%s/loop/backing_file" % device).strip() == self.image
            if not busy:
                return
            time.sleep(0.02)
        raise Failed("the disk image of box %s is still in use" % self.name)
