"""Starts and stops real Docker engines for tests, benchmarks and trials by hand.

    with Fleet(3) as fleet:
        fleet.engines[0].url            tcp://10.77.0.2:2376, mutual TLS
        fleet.engines[0].identity       client certificate, as paths
        fleet.engines[0].request("GET", "/containers/json")     over its own unix socket

By hand: python3 -m tests.real.engines --count 3 --hold

With BERTH_ENGINE_ROOT they are those below another root: see tests/support/newer_engine.sh.
"""

import argparse
import atexit
import json
import os
import signal
import subprocess
import sys
import time

from . import httpc, image, pki, sandbox, wait

PORT = 2376
START_DEADLINE_S = 30.0


# Makes $1 the root of this mount namespace, with the directory $2 and what dockerd needs of the system in it.
# A mere chroot is not enough: an exec enters a container by its mount namespace, whose root that would not be.
ENTER_ROOT = """
set -e
mount --bind "$1" "$1"
for d in /proc /sys /dev /run /etc/docker "$2"; do
    mkdir -p "$1$d"
    mount --rbind "$d" "$1$d"
done
mkdir -p "$1/old"
cd "$1"
pivot_root . old
umount --lazy /old
"""


class Engine:
    """One dockerd on a machine of its own; the machine may also be the root network (network=False)."""

    def __init__(self, slot, index, authority, client, network=True):
        self.machine = sandbox.Machine(slot, index, network)
        self.name = f"engine-{index}"
        self.address = self.machine.address
        self.directory = os.path.join(slot.directory, self.name)
        os.makedirs(self.directory)
        self.socket = os.path.join(self.directory, "docker.sock")
        self.log = os.path.join(self.directory, "dockerd.log")
        self.network = network
        self.identity = client
        self.server = authority.server(self.name, [self.address, "127.0.0.1"]) if network else None
        self.url = f"tcp://{self.address}:{PORT}" if network else "unix://" + self.socket
        self._root = os.environ.get("BERTH_ENGINE_ROOT")
        self._process = None

    def _configure(self, **settings):
        with open(os.path.join(self.directory, "daemon.json"), "w", encoding="ascii") as f:
            json.dump(settings, f)

    def _command(self):
        at = lambda name: os.path.join(self.directory, name)
        self._configure()
        command = ["dockerd", "--config-file", at("daemon.json"), "--data-root", at("data"),
                   "--exec-root", at("exec"), "--pidfile", at("pid"), "--host", "unix://" + self.socket,
                   "--storage-driver", "overlay2", "--exec-opt", "native.cgroupdriver=cgroupfs",
                   "--cgroup-parent", "/" + self.machine.name, "--log-level", "warn",
                   "--shutdown-timeout", "1"]
        if self.network:
            return command + ["--bip", "172.31.255.1/24", "--host", f"tcp://{self.address}:{PORT}",
                              "--tlsverify", "--tlscacert", self.server.ca,
                              "--tlscert", self.server.cert, "--tlskey", self.server.key]
        # The root namespace's packet filter stays untouched: ports are published by docker-proxy.
        return command + ["--bridge", self.machine.name, "--iptables=false", "--ip-forward=false",
                          "--ip-masq=false"]

    def launch(self):
        """Starts dockerd without waiting for it."""
        if not self.machine.on:
            self.machine.power_on()
            if not self.network:
                self._make_bridge()
            if self._root:
                self._enter_root()
        with open(self.log, "ab") as log:
            self._process = self.machine.popen(self._command(), stdout=log, stderr=log)

    def _enter_root(self):
        """In the machine's own mount namespace: nobody else sees these mounts, and they end with it."""
        above = os.path.dirname(self.directory)
        if self.machine.popen(["sh", "-c", ENTER_ROOT, "sh", self._root, above]).wait(30) != 0:
            raise RuntimeError(f"{self.name} cannot use the root {self._root}")

    def _make_bridge(self):
        name, gateway = self.machine.name, self.machine.gateway.replace("10.77.", "10.78.")
        for command in (["link", "add", name, "type", "bridge"],
                        ["addr", "add", gateway + "/24", "dev", name], ["link", "set", name, "up"]):
            subprocess.run(["ip", *command], check=True)

    def await_ready(self, deadline_s=START_DEADLINE_S):
        wait.wait_for(self.answers, lambda: f"{self.name} answers; its log ends: {self._log_tail()}",
                      deadline_s)

    def start(self):
        self.launch()
        self.await_ready()

    def _log_tail(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()[-2000:]

    def pid(self):
        """dockerd's process id in the root namespace, or None while it does not run."""
        if self._process is None or self._process.poll() is not None:
            return None
        inside = sandbox.children(self._process.pid)
        return inside[0] if inside else None

    def suspend(self):
        """SIGSTOP: it accepts connections and says nothing.

        nsenter stops itself along with its child, so whatever ends the stop must wake nsenter, too.
        """
        os.kill(self.pid(), signal.SIGSTOP)

    def resume(self):
        os.kill(self.pid(), signal.SIGCONT)
        self._process.send_signal(signal.SIGCONT)

    def kill(self):
        """SIGKILL to dockerd alone; containers run on until the next start."""
        os.kill(self.pid(), signal.SIGKILL)
        self._process.send_signal(signal.SIGCONT)
        self._process.wait(timeout=10)

    def break_starts(self):
        """From now on each start of a container fails, with 500; all else works, and what runs runs on.

        Until mend_starts(), or a restart. What was created meanwhile can never be started.
        """
        self._configure(**{"runtimes": {"broken": {"path": "/bin/false"}}, "default-runtime": "broken"})
        self._await_runtime("broken")

    def mend_starts(self):
        self._configure(**{"default-runtime": "runc"})
        self._await_runtime("runc")

    def _await_runtime(self, name):
        os.kill(self.pid(), signal.SIGHUP)
        wait.wait_for(lambda: self.request("GET", "/info").json()["DefaultRuntime"] == name,
                      f"{self.name} has runtime {name}")

    def power_off(self):
        """Everything on the machine ends at once, containers too; the disk stays."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
        self.machine.power_off()
        if self._process is not None:
            self._process.wait(timeout=10)
            self._process = None
        subprocess.run(["rm", "-rf", os.path.join(self.directory, "exec"),
                        os.path.join(self.directory, "pid"), self.socket], check=False)

    def request(self, method, path, body=None, timeout=20, headers=None):
        """One exchange over the engine's unix socket; never through berthd's way to it."""
        return httpc.exchange(httpc.UnixConnection(self.socket, timeout), method, path, body, headers)

    def answers(self):
        try:
            return self.request("GET", "/_ping", timeout=2).status == 200
        except OSError:
            return False

    def load_image(self, path):
        with open(path, "rb") as f:
            reply = self.request("POST", "/images/load?quiet=1", f.read(), timeout=60,
                                 headers={"Content-Type": "application/x-tar"})
        if reply.status != 200 or b"error" in reply.body:
            raise RuntimeError(f"{self.name} did not load {path}: {reply.text}")

    def containers(self, label=None):
        """All containers, running or not, as GET /containers/json shows them."""
        path = "/containers/json?all=1"
        if label is not None:
            path += "&filters=" + json.dumps({"label": [label]}, separators=(",", ":"))
        return self.request("GET", path).json()

    def inspect(self, container):
        reply = self.request("GET", f"/containers/{container}/json")
        return reply.json() if reply.status == 200 else None

    def run(self, name, command, host_config=None, **config):
        """Creates and starts a container that is nobody's; returns its id."""
        body = {"Image": image.NAME, "Cmd": command, "HostConfig": host_config or {}, **config}
        reply = self.request("POST", "/containers/create?name=" + name, body)
        if reply.status != 201:
            raise RuntimeError(f"{self.name} create {name}: {reply.text}")
        container = reply.json()["Id"]
        reply = self.request("POST", f"/containers/{container}/start")
        if reply.status != 204:
            raise RuntimeError(f"{self.name} start {name}: {reply.text}")
        return container

    def exec(self, container, *command):
        """Runs a command in a container without waiting for its end."""
        made = self.request("POST", f"/containers/{container}/exec", {"Cmd": list(command)}).json()
        self.request("POST", f"/exec/{made['Id']}/start", {"Detach": True})

    def remove_containers(self, label=None):
        for container in self.containers(label):
            self.request("DELETE", f"/containers/{container['Id']}?force=1&v=1")

    def memory_bytes(self):
        return self.request("GET", "/info").json()["MemTotal"]

    def describe(self):
        """What a client needs to know, for --hold."""
        about = {"name": self.name, "engine": self.url, "socket": self.socket, "pid": self.pid(),
                 "log": self.log}
        if self.network:
            about.update(address=self.address, ca=self.identity.ca, cert=self.identity.cert,
                         key=self.identity.key)
        return about


class Fleet:
    """Several engines with the sample image, one certificate authority, and their complete removal."""

    def __init__(self, count=3, network=True):
        need_root()
        self.engines = []
        self.slot = sandbox.Slot()
        atexit.register(self.close)
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
        try:
            self._start(count, network)
        except BaseException:
            self.close()
            raise

    def _start(self, count, network):
        self.authority = pki.Authority(os.path.join(self.slot.directory, "tls"))
        self.client = self.authority.client("client")
        self.image_archive = image.build(self.slot.directory)
        for index in range(count):
            self.engines.append(Engine(self.slot, index, self.authority, self.client, network))
            self.engines[-1].launch()
        for engine in self.engines:
            engine.await_ready()
            engine.load_image(self.image_archive)

    def close(self):
        atexit.unregister(self.close)
        engines, self.engines = self.engines, []
        for engine in engines:
            engine.power_off()
        if self.slot is not None:
            for name in self.slot.interfaces():
                subprocess.run(["ip", "link", "del", name], capture_output=True, check=False)
            self.slot.close()
            self.slot = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def need_root():
    if os.geteuid() != 0:
        raise PermissionError("real engines need root: namespaces, mounts and dockerd")


def why_not():
    """Why real engines can't run here, or None: for skipping tests with a reason."""
    if os.geteuid() != 0:
        return "needs root (namespaces, mounts and dockerd)"
    for program in ("dockerd", "containerd", "busybox", "openssl", "nsenter", "ip"):
        if not any(os.access(os.path.join(d, program), os.X_OK) for d in os.environ["PATH"].split(":")):
            return f"{program} is not installed"
    return None


def main():
    parser = argparse.ArgumentParser(prog="python3 -m tests.real.engines", description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=3, help="how many engines")
    parser.add_argument("--plain", action="store_true", help="in the root network, on unix sockets only")
    parser.add_argument("--hold", action="store_true", help="keep them until SIGINT or SIGTERM")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda n, _: sys.exit(0))
    began = time.monotonic()
    with Fleet(options.count, network=not options.plain) as fleet:
        print(json.dumps({"started_in_s": round(time.monotonic() - began, 2), "image": image.NAME,
                          "image_archive": fleet.image_archive, "directory": fleet.slot.directory,
                          "engines": [e.describe() for e in fleet.engines]}, indent=2), flush=True)
        if options.hold:
            signal.pause()


if __name__ == "__main__":
    main()
