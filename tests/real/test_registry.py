"""Images from a real registry with passwords: pulled where they are lacking, refused in words that name
the fix, tried again while it is down; and its password is found nowhere afterwards.
"""

import base64
import json
import os
import pathlib
import re
import subprocess
import sys
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.real import cases, daemon, registry
from tests.real.wait import wait_for

WAIT = ["fixture", "wait"]
USER, PASSWORD = "robot", "kXq7-Vw2mZ_9sQpL4"
BALLAST = 12 << 20
SLOW = "24mbit"  # what the loopback carries while a pull is to be watched
world = None
remote = None


def setUpModule():
    global world, remote
    cases.skip_unless_possible(registry.why_not())
    world = cases.World(1)
    remote = registry.Registry(world.engines[0], world.fleet.authority, {USER: PASSWORD}).start()


def tearDownModule():
    if remote is not None:
        remote.stop()
    if world is not None:
        world.close()


class RegistryTest(cases.WorldTest):
    def setUp(self):
        self.engine = self.engines[0]
        self.trust(PASSWORD)
        self.host = self.daemon.hosts()[self.engine.name]

    def trust(self, password, server=None):
        """berthd knows this password of the registry, or (None) no registry at all."""
        path = os.path.join(self.daemon.directory, "registry.password")
        with open(path, "w", encoding="ascii", opener=lambda p, f: os.open(p, f, 0o600)) as f:
            f.write(f"{password}\n")
        known = {server or remote.server: {"username": USER, "password_file": path}}
        self.daemon.config["registries"] = known if password else {}
        reloads = self.daemon.log_text().count("reloaded")
        self.daemon.reload()
        wait_for(lambda: self.daemon.log_text().count("reloaded") > reloads, "the reload is logged")

    def launch(self, image, **fields):
        self.daemon.put_blueprint("pulled", WAIT, image=image, **{"pull": "missing", **fields})
        return self.daemon.run("pulled")["id"]

    def events(self, kind, instance):
        return [e["text"] for e in self.daemon.items("events", kind=kind, instance=instance)]

    def assert_host_is_not_blamed(self):
        now = self.daemon.hosts()[self.engine.name]
        self.assertEqual((now["state"], now["error"]["score"]), ("active", self.host["error"]["score"]))

    def fails(self, image, *words, **fields):
        """The launch fails at its first attempt, says each of the words, and blames nobody but the blueprint."""
        instance = self.launch(image, **fields)
        reason = self.daemon.await_state(instance, "failed")["reason"]
        for word in words:
            self.assertIn(word, reason)
        # What is read from memory may be ahead of the disk, where events are.
        attempts = wait_for(lambda: self.events("instance.attempt_failed", instance), "the attempt is told")
        self.assertEqual(len(attempts), 1, attempts)
        self.assertIn("image_failed", attempts[0])
        self.assert_host_is_not_blamed()


    @staticmethod
    def read(path):
        """Content of a file that may be gone, as processes are."""
        try:
            with open(path, "rb") as f:
                return f.read()
        except OSError:
            return b""


class PullTest(RegistryTest):
    def test_a_launch_pulls_what_its_host_lacks_and_shows_how_far_it_is(self):
        image = remote.publish("team/app:1", BALLAST)
        self.slow_down("add")
        try:
            instance = self.launch(image)
            self.await_text(lambda: self.daemon.instance(instance)["reason"],
                            r"pulling the image: [1-9]0 % of \d+ MiB")
        finally:
            self.slow_down("del")
        self.daemon.await_running(instance)
        wait_for(lambda: len(self.events("instance.pull", instance)) == 1, "the pull is told once")
        self.assertGreater(remote.asked_for(image), 0)

        asked = remote.asked_for(image)
        self.daemon.await_running(self.launch(image))
        self.assertEqual(remote.asked_for(image), asked, "pull: missing asks once")

    def test_an_operator_pulls_beforehand_and_watches(self):
        image = remote.publish("team/app:2", BALLAST)
        self.slow_down("add")
        try:
            operation = json.loads(self.berth("image", "pull", image, "-o", "json"))["id"]
            self.await_text(lambda: self.daemon.call("GET", f"/v1/operations/{operation}")["text"],
                            self.engine.name + r": Downloading, [1-9]\d* of \d+ bytes")
        finally:
            self.slow_down("del")
        wait_for(lambda: self.daemon.call("GET", f"/v1/operations/{operation}")["state"] == "done",
                 "the pull is done")
        self.assertIn(image, self.berth("image", "ls"))
        asked = remote.asked_for(image)
        self.daemon.await_running(self.launch(image, pull="never"))
        self.assertEqual(remote.asked_for(image), asked)

    def test_always_asks_and_gets_what_is_new(self):
        image = remote.publish("team/moving:1")
        first = self.daemon.await_running(self.launch(image, pull="always"))
        remote.publish("team/moving:1")
        asked = remote.asked_for(image)
        second = self.daemon.await_running(self.launch(image, pull="always"))
        self.assertGreater(remote.asked_for(image), asked)
        made = {self.engine.inspect(i["container_id"])["Image"] for i in (first, second)}
        self.assertEqual(len(made), 2)

    def test_never_asks_nobody(self):
        image = remote.publish("team/unasked:1")
        asked = remote.asked_for(image)
        self.fails(image, image, "not on the host", pull="never")
        self.assertEqual(remote.asked_for(image), asked)

    def test_loopback_without_tls(self):
        with registry.Registry(self.engine, world.fleet.authority, {USER: PASSWORD}, loopback=True) as plain:
            image = plain.publish("team/plain:1")
            self.trust(PASSWORD, plain.server)
            self.daemon.await_running(self.launch(image))

    def slow_down(self, verb):
        how = ["tbf", "rate", SLOW, "burst", "256kb", "latency", "2s"] if verb == "add" else []
        command = ["tc", "qdisc", verb, "dev", "lo", "root", *how]
        self.assertEqual(self.engine.machine.popen(command).wait(10), 0)

    def await_text(self, ask, pattern):
        wait_for(lambda: re.fullmatch(pattern, ask() or ""), lambda: f"{pattern} is told; it is {ask()}")

    def berth(self, *arguments):
        env = dict(os.environ, BERTH_URL=self.daemon.url,
                   BERTH_TOKEN_FILE=os.path.join(self.daemon.data, "admin.token"))
        return subprocess.run([daemon.program("berth"), *arguments], env=env, check=True, capture_output=True,
                              text=True, timeout=60).stdout


class RefusalTest(RegistryTest):
    def test_a_wrong_password(self):
        image = remote.publish("team/locked:1")
        self.trust("wrong-" + PASSWORD)
        self.fails(image, "cannot be pulled", "unauthorized", "`registries`", "password")

    def test_credentials_that_the_configuration_names_no_more(self):
        image = remote.publish("team/locked:2")
        self.trust(None)
        self.fails(image, "cannot be pulled", "credentials", "`registries`")

    def test_no_image_of_that_name(self):
        self.fails(remote.server + "/team/nobody:7", "cannot be pulled", "team/nobody:7", "manifest unknown")
        self.fails(remote.server + "/team/nobody:7", "cannot be pulled", "manifest unknown", pull="always")

    def test_a_pull_by_hand_says_the_same(self):
        made = self.daemon.call("POST", "/v1/images/pull",
                                {"reference": remote.server + "/team/nobody:8", "pool": "default"})
        path = "/v1/operations/" + made["id"]
        wait_for(lambda: self.daemon.call("GET", path)["state"] == "failed", "the pull fails")
        self.assertIn("manifest unknown", self.daemon.call("GET", path)["text"])

    def test_a_registry_that_is_down_is_asked_again(self):
        image = remote.publish("team/later:1")
        remote.stop()
        try:
            instance = self.launch(image)
            wait_for(lambda: self.events("instance.attempt_failed", instance), "the first attempt fails")
        finally:
            remote.start()
        self.assertIn("registry_failed", self.events("instance.attempt_failed", instance)[0])
        self.daemon.await_running(instance)
        self.assert_host_is_not_blamed()


class SecretTest(RegistryTest):
    def test_the_password_is_found_nowhere(self):
        kept = self.daemon.await_running(self.launch(remote.publish("team/secret:1")))["id"]
        self.trust("wrong-" + PASSWORD)
        self.daemon.await_state(self.launch(remote.publish("team/secret:2")), "failed")
        marks = traces_of(PASSWORD) | traces_of(USER + ":" + PASSWORD)
        where = {**self.answers(kept), **self.processes(), **self.files()}
        self.assertGreater(len(where), 25)
        for name, content in where.items():
            for mark in marks:
                self.assertNotIn(mark, content, name)
        # The same search finds what is there.
        self.assertIn(PASSWORD.encode(), self.read(os.path.join(self.daemon.directory, "registry.password")))
        self.assertTrue(any(m in auth_header() for m in marks))

    def answers(self, instance):
        """Every GET of the API that a client can make without a stream."""
        document = self.daemon.call("GET", "/openapi.json")
        names = {"id": instance, "name": "pulled"}
        found = {}
        for path, verbs in document["paths"].items():
            if "get" not in verbs:
                continue
            for part in [p for p in path.split("/") if p.startswith("{")]:
                first = path.split("/")[2]
                value = names[part[1:-1]] if first in ("instances", "blueprints") else self.some(first)
                path = path.replace(part, urllib.parse.quote(value))
            reply = self.daemon.ask("GET", path)
            found["GET " + path] = str(reply.headers).encode() + reply.body
        return found

    def some(self, resource):
        """The first of a list; a name that is not there also has an answer."""
        reply = self.daemon.ask("GET", "/v1/" + resource)
        items = reply.json().get("items") if reply.status == 200 else None
        return (items[0].get("id") or items[0].get("name")) if items else "nothing"

    @staticmethod
    def processes():
        """Arguments of every process, and the environment of berthd."""
        found = {f"/proc/{pid}/cmdline": RegistryTest.read(f"/proc/{pid}/cmdline")
                 for pid in os.listdir("/proc") if pid.isdigit()}
        own = f"/proc/{world.daemon.pid}/environ"
        return {**found, own: RegistryTest.read(own)}

    def files(self):
        """berthd's data directory with the database, its configuration and log, and the engine's log."""
        paths = [self.engine.log] + [os.path.join(top, name) for top, _, names in os.walk(self.daemon.directory)
                                     for name in names if name != "registry.password"]
        return {path: RegistryTest.read(path) for path in paths}


def traces_of(secret):
    """The secret itself, its base64 at each of the three alignments, and as hexadecimal digits."""
    found = {secret.encode(), secret.encode().hex().encode()}
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + secret.encode())
        inner = coded[4 if shift else 0:-4]  # what neighbours don't change
        found |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    return found


def auth_header():
    """What berthd sends the engine."""
    auth = {"username": USER, "password": PASSWORD, "serveraddress": remote.server}
    return base64.urlsafe_b64encode(json.dumps(auth, separators=(",", ":")).encode())


if __name__ == "__main__":
    cases.main(registry.why_not())
