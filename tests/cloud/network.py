"""A network of the server's own for machines of the kind `real`: namespaces on a bridge, out of which nothing leads.

    this machine            router namespace                       a machine's namespace
    berthN 10.79.N.1 ────── uplink ─ bridge 10.79.N.2 ─ m<K> ─ eth0 10.79.N.10...
           10.80.N.1                        169.254.169.254

What has 10.79.N.K as its private address has 10.80.N.K as its public one and, as on EC2, knows nothing of that: the router
puts the one for the other. Who asks by a public address comes from 10.80.N.1.
"""

import contextlib
import ctypes
import fcntl
import os
import shutil
import socket
import subprocess
import threading

from . import cgroups

LOCKS = "/run/berth-cloud"
METADATA = "169.254.169.254"
NEW_NETWORK = 0x40000000  # CLONE_NEWNET of sched.h


def run(*words, check=True):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        raise OSError(f"{' '.join(words)}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def listen_in(namespace, address):
    """A listening socket that lives in a network namespace."""
    libc, found = ctypes.CDLL(None, use_errno=True), []

    def enter():
        with open(f"/run/netns/{namespace}") as file:
            if libc.setns(file.fileno(), NEW_NETWORK) != 0:
                found.append(OSError(ctypes.get_errno(), "setns"))
                return
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(256)
        found.append(listener)

    # A namespace is a thread's own; this one's ends with it.
    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    if not found or isinstance(found[0], OSError):
        raise found[0] if found else OSError(f"can't listen in {namespace}")
    return found[0]


class Network:
    def __init__(self, state):
        if os.geteuid() != 0:
            raise OSError("machines of the kind real take root")
        self.number, self.lock = self.take_number()
        self.name, self.router = f"berth{self.number}", f"berth{self.number}-r"
        self.prefix, self.outside = f"10.79.{self.number}.", f"10.80.{self.number}."
        self.state = os.path.join(os.path.abspath(state), str(self.number))
        self.used = {}
        self.next = 0
        self.guard = threading.Lock()
        self.clean()
        try:
            self.build()
        except OSError:
            self.close()
            raise

    def take_number(self):
        """The first that no other server holds; a lock ends with its process."""
        os.makedirs(LOCKS, exist_ok=True)
        for number in range(1, 250):
            lock = open(f"{LOCKS}/{number}", "w")  # noqa: SIM115: held for as long as the server lives
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return number, lock
            lock.close()
        raise OSError("249 clouds serve on this machine already")

    def clean(self):
        """What a killed server of this number left, or this one's own."""
        with open("/proc/mounts") as file:
            mounted = [line.split()[1] for line in file]
        for path in reversed([m for m in mounted if m.startswith(self.state + "/")]):
            run("umount", "--lazy", path, check=False)
        for line in run("ip", "netns", "list").splitlines():
            if line.split()[0].startswith(self.name + "-"):
                run("ip", "netns", "delete", line.split()[0])
        run("ip", "link", "delete", self.name, check=False)
        cgroups.remove(cgroups.named(self.name + "-"))
        shutil.rmtree(self.state, ignore_errors=True)

    def build(self):
        os.makedirs(self.state, mode=0o700)
        run("ip", "netns", "add", self.router)
        run("ip", "link", "add", self.name, "type", "veth", "peer", "name", "uplink", "netns", self.router)
        run("ip", "address", "add", f"{self.prefix}1/24", "dev", self.name)
        run("ip", "link", "set", "dev", self.name, "up")
        self.inside(self.router, "link", "add", "bridge", "type", "bridge")
        self.inside(self.router, "link", "set", "dev", "uplink", "master", "bridge")
        self.inside(self.router, "address", "add", f"{self.prefix}2/24", "dev", "bridge")
        self.inside(self.router, "address", "add", f"{METADATA}/32", "dev", "bridge")
        for device in ("lo", "uplink", "bridge"):
            self.inside(self.router, "link", "set", "dev", device, "up")
        self.build_outside()

    def build_outside(self):
        run("ip", "address", "add", f"{self.outside}1/32", "dev", self.name)
        run("ip", "route", "add", f"{self.outside}0/24", "via", f"{self.prefix}2", "dev", self.name, "src", f"{self.outside}1")
        self.inside(self.router, "route", "add", f"{self.outside}1", "dev", "bridge")
        # Both ways lead over the bridge: nobody is to be told of a shorter one.
        for name, value in (("ip_forward", 1), ("conf/all/send_redirects", 0), ("conf/bridge/send_redirects", 0)):
            self.at_router("sh", "-c", f"echo {value} >/proc/sys/net/ipv4/{name}")
        self.at_router("iptables", "-t", "nat", "-A", "PREROUTING", "-d", f"{self.outside}0/24", "-j", "NETMAP",
                       "--to", f"{self.prefix}0/24")

    def at_router(self, *words):
        """A program in the router's place."""
        return run("nsenter", f"--net=/run/netns/{self.router}", *words)

    def public(self, address):
        """The public address that goes with a private one."""
        return self.outside + address.rpartition(".")[2]

    def inside(self, namespace, *words):
        run("ip", "-netns", namespace, *words)

    def close(self):
        self.clean()
        self.lock.close()

    def address(self, instance_id):
        with self.guard:
            for _ in range(240):
                address = f"{self.prefix}{10 + self.next}"
                self.next = (self.next + 1) % 240
                if address not in self.used:
                    self.used[address] = instance_id
                    return address
        return None

    def join(self, namespace, address):
        """A machine's own namespace, with its address."""
        device = f"m{address.rpartition('.')[2]}"
        run("ip", "netns", "add", namespace)
        self.inside(namespace, "link", "add", "eth0", "type", "veth", "peer", "name", device, "netns", self.router)
        self.inside(self.router, "link", "set", "dev", device, "up", "master", "bridge")
        self.inside(namespace, "address", "add", f"{address}/24", "dev", "eth0")
        for one in ("lo", "eth0"):
            self.inside(namespace, "link", "set", "dev", one, "up")
        self.inside(namespace, "route", "add", "default", "via", f"{self.prefix}2")

    def leave(self, namespace, address):
        run("ip", "netns", "delete", namespace, check=False)
        with self.guard:
            self.used.pop(address, None)
