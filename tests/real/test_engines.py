"""The harness itself: engines start, limit memory, hang, recover, and leave nothing behind."""

import http.client
import json
import os
import pathlib
import signal
import ssl
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.real import cases, engines, httpc, image, liar, proxy, sandbox
from tests.real.cases import http_get, udp_ask
from tests.real.wait import wait_for

MIB = 1024 * 1024
fleet = None


def setUpModule():
    global fleet
    cases.skip_unless_possible()
    fleet = engines.Fleet(3)


def tearDownModule():
    fleet.close()


def tls_exchange(engine, method, path, body=None, identity=True, address=None, timeout=10):
    context = ssl.create_default_context(cafile=engine.identity.ca)
    if identity:
        context.load_cert_chain(engine.identity.cert, engine.identity.key)
    host, port = address or (engine.address, engines.PORT)
    connection = http.client.HTTPSConnection(host, port, context=context, timeout=timeout)
    return httpc.exchange(connection, method, path, body)


def state_of(engine, container):
    return engine.inspect(container)["State"]


class EnginesTest(unittest.TestCase):
    def setUp(self):
        self.engine = fleet.engines[0]

    def tearDown(self):
        for engine in fleet.engines:
            engine.remove_containers()

    def test_each_engine_demands_a_client_certificate(self):
        for engine in fleet.engines:
            self.assertEqual(tls_exchange(engine, "GET", "/_ping").text, "OK")
            with self.assertRaises(OSError):
                tls_exchange(engine, "GET", "/_ping", identity=False)

    def test_every_engine_has_the_same_image(self):
        ids = {e.request("GET", f"/images/{image.NAME}/json").json()["Id"] for e in fleet.engines}
        self.assertEqual(len(ids), 1)

    def test_a_memory_limit_bites(self):
        small = {"Memory": 16 * MIB, "MemorySwap": 16 * MIB}
        hog = self.engine.run("hog", ["fixture", "hog", str(64 * MIB)], small)
        wait_for(lambda: not state_of(self.engine, hog)["Running"], "the hog ends")
        # Nobody else kills it. The engine's own word for it, OOMKilled, comes too late now and then.
        self.assertEqual(state_of(self.engine, hog)["ExitCode"], 137)
        modest = self.engine.run("modest", ["fixture", "hog", str(4 * MIB)], small)
        wait_for(lambda: b"holds" in self.engine.request(
            "GET", f"/containers/{modest}/logs?stdout=1").body, "the modest one holds its memory")
        self.assertTrue(state_of(self.engine, modest)["Running"])

    def test_published_ports_answer(self):
        ports = {"8080/tcp": [{"HostPort": ""}], "7/udp": [{"HostPort": ""}]}
        container = self.engine.run(
            "ports", ["sh", "-c", "fixture udp-echo 7 & exec httpd -f -p 8080 -h /www"],
            {"PortBindings": ports}, ExposedPorts={p: {} for p in ports})
        published = self.engine.inspect(container)["NetworkSettings"]["Ports"]
        self.assertEqual(http_get(self.engine.address, int(published["8080/tcp"][0]["HostPort"])),
                         b"sample answers\n")
        self.assertEqual(udp_ask(self.engine.address, int(published["7/udp"][0]["HostPort"])), b"echo:hello")

    def test_a_stopped_engine_is_silent_and_recovers(self):
        self.engine.suspend()
        try:
            with self.assertRaises(TimeoutError):
                tls_exchange(self.engine, "GET", "/_ping", timeout=0.5)
            self.assertTrue(fleet.engines[1].answers())
        finally:
            self.engine.resume()
        wait_for(self.engine.answers, "the engine answers again")

    def test_a_killed_engine_starts_again(self):
        container = self.engine.run("survivor", ["sleep", "1000"], StopTimeout=1)
        self.engine.kill()
        self.assertFalse(self.engine.answers())
        self.engine.start()
        self.assertIsNotNone(self.engine.inspect(container))

    def test_a_machine_without_power_loses_its_containers_but_not_its_disk(self):
        container = self.engine.run("victim", ["sleep", "1000"])
        self.engine.power_off()
        self.engine.start()
        self.assertFalse(state_of(self.engine, container)["Running"])


class ProxyTest(unittest.TestCase):
    def setUp(self):
        self.engine = fleet.engines[0]
        self.proxy = proxy.Proxy(self.engine)

    def tearDown(self):
        self.proxy.close()
        self.engine.remove_containers()

    def ask(self, method, path, body=None, timeout=10):
        return tls_exchange(self.engine, method, path, body, address=("127.0.0.1", self.proxy.port),
                            timeout=timeout)

    def create(self, name):
        return self.ask("POST", "/v1.41/containers/create?name=" + name, {"Image": image.NAME})

    def test_it_passes_on_what_no_rule_names(self):
        self.assertEqual(self.create("plain").status, 201)
        self.assertEqual(self.ask("GET", "/containers/plain/json").json()["Name"], "/plain")
        self.assertEqual(self.ask("DELETE", "/containers/plain").status, 204)

    def test_a_reply_is_cut_after_the_engine_has_done_it(self):
        rule = self.proxy.add(proxy.Rule(proxy.Action.CUT_BEFORE_REPLY, "/containers/create", first=2, last=2))
        self.assertEqual(self.create("one").status, 201)
        with self.assertRaises((OSError, http.client.HTTPException)):
            self.create("two")
        self.assertEqual(self.create("three").status, 201)
        self.assertIsNotNone(self.engine.inspect("two"))
        self.assertEqual((rule.seen, rule.applied), (3, 1))

    def test_a_request_is_cut_before_the_engine_hears_of_it(self):
        self.proxy.add(proxy.Rule(proxy.Action.CUT_BEFORE_REQUEST, "/containers/create"))
        with self.assertRaises((OSError, http.client.HTTPException)):
            self.create("never")
        self.assertIsNone(self.engine.inspect("never"))

    def test_a_reply_is_swallowed_or_late(self):
        self.proxy.add(proxy.Rule(proxy.Action.SWALLOW, "/containers/create", last=1))
        self.proxy.add(proxy.Rule(proxy.Action.DELAY_REPLY, "/_ping", delay_s=0.5))
        with self.assertRaises(TimeoutError):
            tls_exchange(self.engine, "POST", "/containers/create?name=kept", {"Image": image.NAME},
                         address=("127.0.0.1", self.proxy.port), timeout=0.5)
        self.assertIsNotNone(self.engine.inspect("kept"))
        self.assertEqual(self.ask("GET", "/_ping").text, "OK")
        with self.assertRaises(TimeoutError):
            self.ask("GET", "/_ping", timeout=0.1)

    def test_a_reply_ends_in_its_midst(self):
        self.proxy.add(proxy.Rule(proxy.Action.CUT_WITHIN_REPLY, "/info"))
        with self.assertRaises((OSError, http.client.HTTPException)):
            self.ask("GET", "/info")


class LiarTest(unittest.TestCase):
    """berthd's way to the engine tells lies, the engine's own socket the truth."""

    def setUp(self):
        self.engine = fleet.engines[0]
        self.proxy = proxy.Proxy(self.engine)
        self.liar = liar.Liar(self.proxy)
        self.lives = self.engine.run("lives", ["fixture", "wait"], Labels={"mark": "1"})
        self.ended = self.engine.run("ended", ["sh", "-c", "exit 3"])
        wait_for(lambda: not state_of(self.engine, self.ended)["Running"], "it ends")

    def tearDown(self):
        self.proxy.close()
        self.engine.remove_containers()

    def ask(self, path):
        return tls_exchange(self.engine, "GET", path, address=("127.0.0.1", self.proxy.port))

    def told(self):
        """Names and states, as the list and as the inspection of each tell."""
        listed = {c["Names"][0]: c["State"] for c in self.ask("/v1.41/containers/json?all=1").json()}
        replies = {name: self.ask(f"/v1.41/containers{name}/json") for name in ("/lives", "/ended", "/ghost")}
        asked = {n: r.json()["State"]["Status"] for n, r in replies.items() if r.status == 200}
        self.assertEqual(listed, asked)
        return listed

    def test_the_truth_first_and_again(self):
        truth = {"/lives": "running", "/ended": "exited"}
        self.assertEqual(self.told(), truth)
        self.liar.hide(lambda c: True)
        self.assertEqual(self.told(), {})
        self.assertGreater(self.liar.told, 0)
        self.liar.confess()
        self.assertEqual(self.told(), truth)

    def test_what_runs_is_hidden(self):
        self.liar.hide(lambda c: c["State"] == "running" and c["Labels"].get("mark") == "1")
        self.assertEqual(self.told(), {"/ended": "exited"})
        self.assertTrue(state_of(self.engine, self.lives)["Running"])

    def test_what_has_ended_is_said_to_run(self):
        self.liar.revive(lambda c: c["Id"] == self.ended)
        self.assertEqual(self.told(), {"/lives": "running", "/ended": "running"})
        self.assertEqual(state_of(self.engine, self.ended)["ExitCode"], 3)

    def test_what_never_was_is_said_to_run(self):
        self.liar.invent(liar.claim("ghost", {"berth.cluster": "c", "berth.instance": "i"}))
        self.assertEqual(self.told(), {"/lives": "running", "/ended": "exited", "/ghost": "running"})
        self.assertEqual(self.ask("/containers/ghost/json").json()["Config"]["Labels"]["berth.instance"], "i")
        self.assertEqual(len(self.engine.containers()), 2)


class BrokenStartsTest(unittest.TestCase):
    def test_each_start_fails_until_it_is_mended(self):
        engine = fleet.engines[0]
        before = engine.run("before", ["fixture", "wait"])
        engine.break_starts()
        try:
            for name in ("first", "second"):
                with self.assertRaisesRegex(RuntimeError, "OCI runtime create failed"):
                    engine.run(name, ["fixture", "wait"])
            self.assertTrue(state_of(engine, before)["Running"])
        finally:
            engine.mend_starts()
        after = engine.run("after", ["fixture", "wait"])
        self.assertTrue(state_of(engine, after)["Running"])
        engine.remove_containers()
        self.assertEqual(engine.containers(), [])


class TeardownTest(unittest.TestCase):
    def start_by_hand(self):
        process = subprocess.Popen([sys.executable, "-m", "tests.real.engines", "--count", "1", "--hold"],
                                   cwd=ROOT, stdout=subprocess.PIPE, text=True)
        text = ""
        while not text.endswith("\n}\n"):
            line = process.stdout.readline()
            self.assertNotEqual(line, "", "the harness started by hand says its endpoints")
            text += line
        process.stdout.close()
        return process, json.loads(text)

    def assert_nothing_left(self, about, files=True):
        engine = about["engines"][0]
        wait_for(lambda: not os.path.exists(f"/proc/{engine['pid']}"), "dockerd is gone")
        with open("/proc/self/mounts", encoding="utf-8") as f:
            self.assertNotIn(about["directory"], f.read())
        for name in os.listdir("/proc"):
            if name.isdigit():
                self.assertNotIn(about["directory"], command_line(name))
        if files:
            self.assertFalse(os.path.exists(about["directory"]))

    def test_a_signal_ends_all(self):
        process, about = self.start_by_hand()
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(30), 0)
        self.assert_nothing_left(about)

    def test_a_killed_run_leaves_no_process_and_the_next_clears_the_rest(self):
        process, about = self.start_by_hand()
        prefix = os.path.basename(os.path.dirname(about["engines"][0]["socket"]))
        self.assertEqual(prefix, "engine-0")
        process.kill()
        process.wait(30)
        self.assert_nothing_left(about, files=False)
        slot = sandbox.Slot()
        slot.close()
        self.assertFalse(os.path.exists(about["directory"]))

    def test_close_leaves_no_interface_group_or_rule(self):
        with engines.Fleet(1) as own:
            name = own.engines[0].machine.name
            own.engines[0].run("left", ["sleep", "1000"])
            self.assertTrue(sandbox.cgroups(name))
            self.assertIn(name, os.listdir("/sys/class/net"))
        self.assertEqual(sandbox.cgroups(name), [])
        self.assertNotIn(name, os.listdir("/sys/class/net"))

    def test_one_engine_in_the_root_network(self):
        before = packet_rules()
        with engines.Fleet(1, network=False) as plain:
            engine = plain.engines[0]
            container = engine.run("plain", ["httpd", "-f", "-p", "8080", "-h", "/www"],
                                   {"PortBindings": {"8080/tcp": [{"HostPort": ""}]}},
                                   ExposedPorts={"8080/tcp": {}})
            port = engine.inspect(container)["NetworkSettings"]["Ports"]["8080/tcp"][0]["HostPort"]
            self.assertEqual(http_get("127.0.0.1", int(port)), b"sample answers\n")
        self.assertEqual(packet_rules(), before)


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as f:
            return f.read()
    except OSError:
        return ""


def packet_rules():
    return subprocess.run(["iptables", "-S"], capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    cases.main()
