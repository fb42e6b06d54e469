"""A berthd before a cloud of its own with real machines: from an empty account and one configuration file to hosts.

    world = Elastic(policy={"min_hosts": 0}).start()
    world.blueprint("web"); one = world.daemon.run("web")
    world.await_hosts(1); world.daemon.await_running(one["id"], deadline_s=90)
    world.fault(action="RunInstances", kind="lose")     # tests/cloud/faults.py has the kinds
    world.close()                                       # fails when a machine is left that costs

What is inside the cloud is world.cloud (tests/cloud/state.py) under world.cloud.lock; what a person may do to it from
outside are the methods here.
"""

import contextlib
import datetime
import json
import os
import shlex
import shutil
import signal
import subprocess
import tempfile

from tests.cloud import config as cloud_config
from tests.cloud.ledger import ledger
from tests.cloud.network import run
from tests.cloud.server import Server

from . import cases, daemon, image
from .wait import wait_for

MIB = 1 << 20
GIB = 1 << 30
LIFE = {"pending_s": 0.3, "initializing_s": 0.1, "shutdown_s": 0.3, "stop_s": 0.3, "visible_after_s": 0.2}
TYPES = [{"type": "t3.small", "price_per_hour": 0.024, "memory_bytes": 2 * GIB, "cpus": 2},
         {"type": "t3.medium", "price_per_hour": 0.048, "memory_bytes": 4 * GIB, "cpus": 2}]
HTTPD = ["httpd", "-f", "-p", "8080", "-h", "/www"]
PREPARE_S = 150  # a sanitized daemon, a machine that boots and installs, beside other tests
ROOT = daemon.ROOT


def machines_settings():
    return {"kind": "real", "root": str(ROOT / "build/cloud/root"), "state": str(ROOT / "build/cloud/machines")}


def why_not():
    """Why this machine can't have machines of the kind real; None: it can."""
    if os.geteuid() != 0:
        return "machines of the kind real take root"
    missing = [name for name in ("systemd-nspawn", "debootstrap") if shutil.which(name) is None]
    return f"{missing[0]} is not installed" if missing else None


def age_s(at):
    """Seconds since a time of the API."""
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.fromisoformat(at)).total_seconds()


class Elastic:
    """One cloud and one berthd with the pool `default` there."""

    def __init__(self, policy=None, pool=None, **cloud):
        """policy: of the pool; pool: more keys of it; cloud: settings (tests/cloud/config.py) that differ."""
        self.server = Server(cloud_config.build(**{"seed": 1, "life": LIFE, "machines": machines_settings(), **cloud}))
        self.cloud = self.server.cloud
        self.daemon = daemon.Daemon([], limits={"queue": 1000})
        self.daemon.environment = self.environment()
        self.daemon.config["pools"] = {"default": {
            "provider": "ec2", "region": self.cloud.config["region"], "endpoint": self.server.url,
            "image": {"owner": "136693071363", "name": "debian-12-amd64-*"}, "machine_types": TYPES,
            "policy": {"min_hosts": 0, "max_hosts": 3, "consolidate_after_s": 1, **(policy or {})}, **(pool or {})}}
        self.folder = tempfile.mkdtemp(prefix="berth-elastic-")
        self.archive = None

    def environment(self):
        """What an EC2 client needs of it, and nothing of the account of whoever runs the tests."""
        key, known = next(iter(self.cloud.config["keys"].items()))
        plain = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
        leaks = f"suppressions={ROOT}/tests/real/leaks.txt:print_suppressions=0"
        return {**plain, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": known["secret"], "LSAN_OPTIONS": leaks}

    @property
    def pool(self):
        """Its section of the configuration; after a change: daemon.reload()."""
        return self.daemon.config["pools"]["default"]

    def start(self):
        self.daemon.start()
        return self

    def load_image(self):
        """The sample image, for each host of the pool that is there or comes."""
        with open(image.build(self.folder), "rb") as file:
            archive = file.read()
        self.daemon.call("POST", "/v1/images?pool=default", archive, status=202,
                         headers={"Content-Type": "application/x-tar"})

    def blueprint(self, name, memory_bytes=64 << 20, **fields):
        """A web server, to be asked with answer()."""
        ports = [{"container": 8080, "protocol": "tcp"}]
        return self.daemon.put_blueprint(name, HTTPD, memory_bytes=memory_bytes, ports=ports, **fields)

    def answer(self, instance_id):
        """What the instance's web server says, by the address that its host publishes it at."""
        port = self.daemon.instance(instance_id)["ports"][0]
        return cases.http_get(port["host_address"], port["host_port"])

    # --- What is there ---

    def hosts(self, *states):
        return [h for h in self.daemon.items("hosts") if h["state"] in (states or ("spawned", "active", "inactive"))]

    def await_hosts(self, count, *states, deadline_s=PREPARE_S):
        """Exactly so many hosts in one of the states; default: active."""
        states = states or ("active",)
        wait_for(lambda: len(self.hosts(*states)) == count,
                 lambda: f"{count} hosts are {'/'.join(states)}; there are {json.dumps(self.hosts())}\n{self.story()}",
                 deadline_s)
        return self.hosts(*states)

    def ledger(self):
        with self.cloud.lock:
            self.cloud.tick()
            return ledger(self.cloud)

    def await_machines(self, count, deadline_s=60):
        """Exactly so many machines cost money."""
        wait_for(lambda: len(self.ledger()["alive"]) == count,
                 lambda: f"{count} machines are alive; they are {self.ledger()['alive']}\n{self.story()}", deadline_s)

    def assert_nothing_leaked(self):
        """No machine without a host, none launched without its tags or for a host that never was, no volume left behind."""
        book = self.ledger()
        known = {h["machine_id"] for h in self.hosts()}
        hosts = {h["id"] for h in self.daemon.items("hosts")}
        strangers = [one for one in book["alive"] if one not in known]
        strangers += [row["id"] for row in book["machines"] if row["tags"].get("berth:host") not in hosts]
        if strangers or book["untagged"] or book["volumes_left"]:
            raise AssertionError(f"leaked: machines {strangers}, untagged {book['untagged']}, "
                                 f"volumes {book['volumes_left']}\n{self.story()}")
        return book

    def assert_one_machine_each(self):
        """No two machines that ever were belong to the same host, or to the same launch. Asks the ledger alone."""
        rows = self.ledger()["machines"]
        of = [row["tags"].get("berth:host") for row in rows]
        tokens = [row["token"] for row in rows]
        if len(set(of)) < len(rows) or len(set(tokens)) < len(rows):
            raise AssertionError(f"machines are not one for each host: {list(zip(of, tokens))}\n{self.story()}")

    def events(self):
        return [f"{e['at']} {e['kind']} {e.get('text') or ''}" for e in self.daemon.items("events")]

    def story(self):
        """For a failure: what the daemon, and the machines' consoles, say."""
        told = [self.daemon.log_tail()]
        with contextlib.suppress(Exception):  # the daemon may be what is broken
            told.append("\n".join(self.events()[-60:]))
        with self.cloud.lock:
            for one in list(self.cloud.instances)[-2:]:
                told.append(f"console of {one}:\n" + self.cloud.machines.console(one)[-1500:].decode("utf-8", "replace"))
        return "\n".join(told)

    # --- What is done to it ---

    def fault(self, **rule):
        """One more rule: action=..., kind=..., probability=..., times=...; its id."""
        with self.cloud.lock:
            return self.cloud.faults.add(rule)

    def no_faults(self):
        with self.cloud.lock:
            self.cloud.faults.clear()

    def change(self, **settings):
        """life, pages, throttle, capacity, limits: from now on."""
        with self.cloud.lock:
            cloud_config.merge(self.cloud.config, settings)

    def machine(self, host):
        """The cloud's own view of a host's machine."""
        return self.cloud.instances[host["machine_id"]]

    def interrupt(self, host, notice_s=120):
        """The provider takes a spot machine back, with notice."""
        with self.cloud.lock:
            self.cloud.interrupt(self.machine(host), notice_s)

    def end_machine(self, host):
        """The provider's hardware fails."""
        with self.cloud.lock:
            self.cloud.doom(self.machine(host), self.cloud.clock.now(), "Server.InternalError")

    def power_off(self, host):
        """Somebody shuts it down from inside."""
        with self.cloud.lock:
            self.cloud.ended_inside(self.machine(host), self.cloud.clock.now())

    def ssh(self, host, command, check=True):
        """What a command of root's says on a host's machine; None if it failed and may. Nobody's host key is looked at."""
        words = ["ssh", "-F", "none", "-i", os.path.join(self.daemon.data, "keys/ssh_key"), "-o", "UserKnownHostsFile=/dev/null",
                 "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "ConnectTimeout=5",
                 f"admin@{host['address']}", f"sudo sh -ec {shlex.quote(command)}"]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"{host['name']}: {command}: {done.stdout}{done.stderr}")
        return done.stdout.strip() if done.returncode == 0 else None

    def engine_of(self, host):
        """The process of the Docker engine in a host's machine."""
        namespace = self.cloud.machines.machines[host["machine_id"]].namespace
        for pid in run("ip", "netns", "pids", namespace).split():
            with contextlib.suppress(OSError), open(f"/proc/{pid}/comm") as file:
                if file.read().strip() == "dockerd":
                    return int(pid)
        raise AssertionError(f"no engine runs on {host['name']}\n{self.story()}")

    @contextlib.contextmanager
    def engine_hangs(self, host):
        """It takes connections, and says nothing."""
        pid = self.engine_of(host)
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):  # its machine may be gone
                os.kill(pid, signal.SIGCONT)

    # --- The end ---

    def empty(self, deadline_s=90):
        """Everything is given back: the pool shuts down, and nothing costs any more."""
        for instance in self.daemon.items("instances"):
            self.daemon.stop_instance(instance["id"])
        self.pool["policy"].update(min_hosts=0, shutdown=True)
        self.daemon.reload()
        self.await_machines(0, deadline_s)
        self.await_hosts(0, "spawned", "active", "inactive", deadline_s=30)
        return self.assert_nothing_leaked()

    def close(self):
        """Whatever it takes; the machines go with their cloud."""
        try:
            self.daemon.close()
        finally:
            self.server.close()
