"""One machine for one engine: a process that holds PID, mount and network namespaces.

When the holder ends, the kernel ends every process inside, the engine's mounts go with the mount
namespace, and the network interfaces with the network namespace. The holder ends when its standard
input closes, so even a test run that was killed with SIGKILL leaves no process behind. What the
kernel does not take back (control groups, the directory) is removed by close(), or by the next run
that takes the same slot.
"""

import contextlib
import fcntl
import glob
import json
import os
import shutil
import signal
import subprocess
import tempfile

from . import wait

REGISTRY = "/run/berth-real"
SLOTS = 200
MACHINES_PER_SLOT = 60

# Process 1 of the machine: ignoring SIGCHLD makes the kernel reap what the engine leaves behind.
# What is in /etc/docker ($1, with the engine's id) is on its disk and outlives it.
HOLDER = """
mkdir -p /etc/docker /run/docker "$1"
mount --bind "$1" /etc/docker
mount -t tmpfs -o size=16m berth /run/docker
echo ready
exec env --ignore-signal=CHLD cat
"""


class Slot:
    """A number that no other test run on this machine has; names and addresses derive from it."""

    def __init__(self):
        os.makedirs(REGISTRY, exist_ok=True)
        self.number, self._lock = self._take()
        self.prefix = f"bt{self.number}e"
        self._clean_after_a_killed_run()
        self.directory = tempfile.mkdtemp(prefix="berth-real-")
        self._lock.truncate(0)
        self._lock.write(json.dumps({"directory": self.directory, "pid": os.getpid()}))
        self._lock.flush()

    @staticmethod
    def _take():
        for number in range(SLOTS):
            lock = open(os.path.join(REGISTRY, f"{number}.lock"), "a+", encoding="utf-8")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return number, lock
            except BlockingIOError:
                lock.close()
        raise RuntimeError(f"all {SLOTS} slots in {REGISTRY} are taken")

    def _clean_after_a_killed_run(self):
        self._lock.seek(0)
        with contextlib.suppress(ValueError, KeyError):
            shutil.rmtree(json.loads(self._lock.read())["directory"], ignore_errors=True)
        for name in self.interfaces():
            _run_quietly("ip", "link", "del", name)
        for k in range(MACHINES_PER_SLOT):
            remove_cgroups(f"{self.prefix}{k}")

    def interfaces(self):
        """This slot's network interfaces in the root namespace."""
        return [n for n in os.listdir("/sys/class/net") if n.startswith(self.prefix)]

    def close(self):
        shutil.rmtree(self.directory, ignore_errors=True)
        self._lock.truncate(0)
        self._lock.close()


class Machine:
    """The namespaces of one engine. With network=False it shares the network of the root namespace."""

    def __init__(self, slot, index, network=True):
        if not 0 <= index < MACHINES_PER_SLOT:
            raise ValueError(f"machine {index} of a slot's {MACHINES_PER_SLOT}")
        self.name = f"{slot.prefix}{index}"
        self.network = network
        base = f"10.77.{slot.number}."
        self.gateway = base + str(4 * index + 1)
        self.address = base + str(4 * index + 2) if network else "127.0.0.1"
        self._log = os.path.join(slot.directory, self.name + ".log")
        self._settings = os.path.join(slot.directory, self.name + ".etc")
        self._holder = None
        self._init_pid = None

    @property
    def on(self):
        return self._holder is not None

    def power_on(self):
        kinds = ["--net"] if self.network else []
        with open(self._log, "ab") as log:
            self._holder = subprocess.Popen(
                ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child",
                 "--mount-proc", *kinds, "sh", "-c", HOLDER, "sh", self._settings],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        if self._holder.stdout.readline() != b"ready\n":
            raise RuntimeError(f"{self.name}: the namespaces could not be made, see {self._log}")
        self._init_pid = children(self._holder.pid)[0]
        if self.network:
            self._connect()

    def _connect(self):
        target = str(self._init_pid)
        _run("ip", "link", "add", self.name, "type", "veth", "peer", "name", "eth0", "netns", target)
        _run("ip", "addr", "add", self.gateway + "/30", "dev", self.name)
        _run("ip", "link", "set", self.name, "up")
        script = (f"ip link set lo up && ip addr add {self.address}/30 dev eth0 && "
                  f"ip link set eth0 up && ip route add default via {self.gateway}")
        _run("nsenter", "--target", target, "--net", "sh", "-c", script)

    def popen(self, command, **options):
        """Starts command inside; its pid outside is children(process.pid)[0]."""
        kinds = ["--net"] if self.network else []
        return subprocess.Popen(["nsenter", "--target", str(self._init_pid), "--mount", "--pid", *kinds,
                                 *command], stdin=subprocess.DEVNULL, **options)

    def power_off(self):
        """Ends every process inside at once, as pulling the plug does. The cgroups go, too."""
        if self._holder is None:
            return
        holder, self._holder = self._holder, None
        with contextlib.suppress(ProcessLookupError, TypeError):
            os.kill(self._init_pid, signal.SIGKILL)
        holder.stdin.close()
        holder.stdout.close()
        holder.wait(timeout=30)
        if self.network and os.path.exists("/sys/class/net/" + self.name):
            _run_quietly("ip", "link", "del", self.name)
        wait.wait_for(lambda: remove_cgroups(self.name), f"the control groups of {self.name} are gone")


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return [int(p) for p in f.read().split()]


def cgroups(name):
    """The control group directories of that name, in every hierarchy of version 1 or in version 2."""
    return glob.glob("/sys/fs/cgroup/" + name) + glob.glob("/sys/fs/cgroup/*/" + name)


def remove_cgroups(name):
    """Removes them as far as they are empty; true when none is left."""
    for top in cgroups(name):
        for folder, _, _ in os.walk(top, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(folder)
    return not cgroups(name)


def _run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")


def _run_quietly(*command):
    subprocess.run(command, capture_output=True, check=False)
