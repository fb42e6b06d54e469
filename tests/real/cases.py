"""What the test modules share: when they can run, a berthd before real engines, and asking ports."""

import contextlib
import http.client
import socket
import sys
import unittest

from . import audit, engines, httpc, proxy
from .daemon import FINAL, Daemon, static_host
from .wait import wait_for

CANT_RUN_HERE = 77


def skip_unless_possible(also=None):
    """For setUpModule(); also: another reason why not, or None."""
    reason = engines.why_not() or also
    if reason:
        raise unittest.SkipTest("real engines can't run here: " + reason)


def main(also=None):
    """For a module that is run as a program: its status says 77 when it can't run here."""
    reason = engines.why_not() or also
    if reason:
        print("real engines can't run here: " + reason)
        sys.exit(CANT_RUN_HERE)
    unittest.main(verbosity=2)


class World:
    """Engines, perhaps proxies before them, and a berthd that has them as the hosts of a static pool.

    Each host carries the label place=NAME, so that a blueprint can ask for it.
    """

    def __init__(self, count=3, proxied=(), memory_bytes=None, policy=None, **settings):
        """proxied: indexes of engines with a proxy; memory_bytes: capacity that berthd sees of each;
        policy: the pool's.
        """
        self.proxies = {}
        self.daemon = None
        self.fleet = engines.Fleet(count)
        try:
            self._start(proxied, memory_bytes, {"policy": policy} if policy else {}, settings)
        except BaseException:
            with contextlib.suppress(AssertionError):
                self.close()
            raise

    def _start(self, proxied, memory_bytes, pool, settings):
        hosts = []
        for index, engine in enumerate(self.engines):
            if index in proxied:
                self.proxies[index] = proxy.Proxy(engine)
            before = self.proxies.get(index)
            host = static_host(engine, before.url if before else None)
            hosts.append({**host, "labels": {"place": engine.name}})
        if memory_bytes is not None:
            pool["reserve"] = {"memory_bytes": self.engines[0].memory_bytes() - memory_bytes}
        self.daemon = Daemon(hosts, pool, **settings)
        self.daemon.start()
        for engine in self.engines:
            self.daemon.await_host(engine.name, lambda h: h.get("state") == "active", "is active")

    @property
    def engines(self):
        return self.fleet.engines

    def engine_of(self, instance):
        """The engine of the host that an instance is on."""
        names = {h["id"]: h["name"] for h in self.daemon.items("hosts")}
        name = names.get(instance["host"], instance["host"])
        return next(e for e in self.engines if e.name == name)

    def stop_all(self):
        for instance in self.daemon.items("instances"):
            if instance["state"] not in FINAL:
                self.daemon.stop_instance(instance["id"])

    def settle(self, deadline_s=60):
        audit.await_agreement(self.daemon, self.engines, deadline_s)

    def close(self):
        try:
            if self.daemon is not None:
                self.daemon.close()
        finally:
            for before in self.proxies.values():
                before.close()
            self.fleet.close()


class WorldTest(unittest.TestCase):
    """A test with a World in the module's variable `world`; each test leaves it empty and agreeing."""

    maxDiff = None

    @property
    def world(self):
        return sys.modules[type(self).__module__].world

    @property
    def daemon(self):
        return self.world.daemon

    @property
    def engines(self):
        return self.world.engines

    def tearDown(self):
        if not self.daemon.running:
            self.daemon.start()
        self.world.stop_all()
        self.world.settle()

    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        outcome = super().run(result)
        if len(result.failures) + len(result.errors) > before:
            print(f"--- berthd's log after {self.id()} ends:\n{self.daemon.log_tail()}", file=sys.stderr)
        return outcome

    def start(self, name, command, pinned=None, **fields):
        """A blueprint of the sample image and one instance of it; pinned: the engine it must be on."""
        if pinned is not None:
            fields["host_labels"] = {"place": pinned.name}
        self.daemon.put_blueprint(name, command, **fields)
        return self.daemon.run(name)["id"]

    def assert_mentions(self, text, *words):
        """At least one of the words stands in text (a reason, for people)."""
        self.assertTrue(any(w in (text or "").lower() for w in words), f"none of {words} in {text!r}")


def http_get(address, port):
    connection = http.client.HTTPConnection(address, port, timeout=5)
    return wait_for(lambda: answer_or_none(lambda: httpc.exchange(connection, "GET", "/").body),
                    f"http://{address}:{port} answers")


def answer_or_none(ask):
    try:
        return ask()
    except OSError:
        return None


def udp_ask(address, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(0.5)
        def ask():
            asker.sendto(b"hello", (address, port))
            return asker.recv(100)
        return wait_for(lambda: answer_or_none(ask), f"udp {address}:{port} answers")
