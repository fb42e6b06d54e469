"""Instances on three real engines: placed by memory, limited, watched, and told about in plain words."""

import http.client
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.real import audit, cases
from tests.real.cases import http_get, udp_ask
from tests.real.wait import wait_for

MIB = 1 << 20
HOST_MEMORY = 1024 * MIB
OVERHEAD = 3584 * 1024  # what a container costs its host beside its own memory
WAIT = ["fixture", "wait"]
world = None


def setUpModule():
    global world
    cases.skip_unless_possible()
    world = cases.World(3, memory_bytes=HOST_MEMORY)


def tearDownModule():
    if world is not None:
        world.close()


class PlacementTest(cases.WorldTest):
    def test_instances_spread_as_memory_demands_and_the_rest_waits(self):
        self.daemon.put_blueprint("large", WAIT, memory_bytes=768 * MIB)
        first = [self.daemon.run("large")["id"] for _ in range(3)]
        running = [self.daemon.await_running(i) for i in first]
        self.assertEqual(len({r["host"] for r in running}), 3)

        waiting = self.daemon.run("large")["id"]
        seen = self.daemon.await_state(waiting, "queued")
        self.assertEqual(seen["queue"]["position"], 1)
        told = self.daemon.call("GET", f"/v1/instances/{waiting}/explain")
        self.assert_mentions(str(told), "memory")
        for host in self.daemon.hosts().values():
            self.assertLessEqual(host["reserved"]["memory_bytes"], host["capacity"]["memory_bytes"])
            self.assertEqual(host["capacity"]["memory_bytes"], HOST_MEMORY)

        self.daemon.stop_instance(first[1])
        self.assertEqual(self.daemon.await_running(waiting)["host"], running[1]["host"])

    def test_small_ones_share_a_host_so_that_others_can_empty(self):
        self.daemon.put_blueprint("small", WAIT, memory_bytes=64 * MIB)
        ids = [i["id"] for i in self.daemon.run("small", count=4)]
        hosts = {self.daemon.await_running(i)["host"] for i in ids}
        self.assertEqual(len(hosts), 1)

    def test_leaving_the_queue_costs_nothing(self):
        self.daemon.put_blueprint("large", WAIT, memory_bytes=1000 * MIB)
        ids = [i["id"] for i in self.daemon.run("large", count=4)]
        wait_for(lambda: sorted(self.daemon.instance(i)["state"] for i in ids)
                 == ["queued", "running", "running", "running"], "three run and one waits")
        waiting = next(i for i in ids if self.daemon.instance(i)["state"] == "queued")
        self.daemon.stop_instance(waiting)
        seen = self.daemon.await_state(waiting, "stopped")
        self.assertEqual(seen["generation"], 0)

    def test_what_fits_nowhere_is_said(self):
        self.daemon.put_blueprint("giant", WAIT, memory_bytes=2 * HOST_MEMORY)
        refused = self.daemon.call("POST", "/v1/instances", {"blueprint": "giant"}, status=503)
        self.assertEqual(refused["code"], "no_capacity")
        self.assert_mentions(refused["detail"], "memory")

    def test_explain_tells_of_the_choice_and_of_the_nearest_miss(self):
        self.daemon.put_blueprint("large", WAIT, memory_bytes=768 * MIB)
        ids = [i["id"] for i in self.daemon.run("large", count=4)]
        chosen = self.daemon.await_running(ids[0])
        told = self.daemon.call("GET", f"/v1/instances/{ids[0]}/explain")["decision"]
        self.assertEqual(told["host"], chosen["host"])
        self.assertEqual(told["free_after_bytes"], HOST_MEMORY - 768 * MIB - OVERHEAD)
        self.assertEqual({o["name"] for o in told["others"]} | {told["name"]}, {e.name for e in self.engines})
        now = self.daemon.call("GET", f"/v1/instances/{ids[3]}/explain")["now"]
        self.assertIsNone(now["would_go_to"])
        self.assertEqual(now["nearest_miss"]["lacks_memory_bytes"], 2 * (768 * MIB + OVERHEAD) - HOST_MEMORY)
        self.assertEqual({o["verdict"] for o in now["others"]}, {"memory"})

    def test_limits_reach_the_engine(self):
        instance = self.daemon.await_running(self.start(
            "limited", WAIT, memory_bytes=48 * MIB, memory_swap_bytes=16 * MIB, cpus=0.5, pids=32,
            read_only=True, tmpfs={"/scratch": "size=1m"}, cap_add=["NET_BIND_SERVICE"],
            ulimits=[{"name": "nofile", "soft": 100, "hard": 200}], env={"WHO": "{owner}"},
            labels={"team": "blue"}))
        made = self.world.engine_of(instance).inspect(instance["container_id"])
        host = made["HostConfig"]
        self.assertEqual(host["Memory"], 48 * MIB)
        self.assertEqual(host["MemorySwap"], 64 * MIB)
        self.assertEqual(host["NanoCpus"], 500_000_000)
        self.assertEqual(host["PidsLimit"], 32)
        self.assertTrue(host["ReadonlyRootfs"])
        self.assertEqual(host["Tmpfs"], {"/scratch": "size=1m"})
        self.assertEqual(host["CapDrop"], ["ALL"])
        self.assertEqual([c.removeprefix("CAP_") for c in host["CapAdd"]], ["NET_BIND_SERVICE"])
        self.assertIn("no-new-privileges", host["SecurityOpt"])
        self.assertFalse(host["Privileged"])
        self.assertEqual([(u["Name"], u["Soft"], u["Hard"]) for u in host["Ulimits"]], [("nofile", 100, 200)])
        self.assertIn("max-size", host["LogConfig"]["Config"])
        self.assertEqual(made["Config"]["Labels"]["team"], "blue")
        self.assertTrue(any(e.startswith("WHO=") and "{" not in e for e in made["Config"]["Env"]))


class EndTest(cases.WorldTest):
    def test_a_memory_limit_bites_and_is_told(self):
        self.daemon.put_blueprint("hog", ["fixture", "hog", str(64 * MIB)], memory_bytes=16 * MIB,
                                  ready={"kind": "none"})
        counted = 0
        for instance in [i["id"] for i in self.daemon.run("hog", count=6)]:
            ended = self.daemon.await_state(instance, "failed")
            self.assertEqual(ended["exit_code"], 137)
            self.assertIn("needed more memory than its limit of 16 MiB", ended["reason"])
            counted += ended["oom_kills"]
        # Each once, but for what the engine itself does not tell when it is busy.
        self.assertIn(counted, range(1, 7))

    def test_an_oom_kill_that_the_instance_survives_is_counted(self):
        survivor = self.start("survivor", ["sh", "-c", f"fixture hog {64 * MIB}; exec fixture wait"],
                              memory_bytes=16 * MIB)
        self.daemon.await_running(survivor)
        wait_for(lambda: self.daemon.instance(survivor)["oom_kills"] == 1, "the kill is counted")
        self.assertEqual(self.daemon.instance(survivor)["state"], "running")

    def test_a_modest_one_lives_under_the_same_limit(self):
        modest = self.start("modest", ["fixture", "hog", str(4 * MIB)], memory_bytes=16 * MIB)
        self.daemon.await_running(modest)
        wait_for(lambda: "holds" in self.daemon.ask("GET", f"/v1/instances/{modest}/logs").text,
                 "it holds its memory")
        stats = self.daemon.call("GET", f"/v1/instances/{modest}/stats")
        self.assertIn(str(16 * MIB), str(stats))
        self.assertEqual(self.daemon.instance(modest)["oom_kills"], 0)

    def test_exit_codes_and_reasons(self):
        good = self.start("good", ["true"], ready={"kind": "none"})
        bad = self.start("bad", ["sh", "-c", "exit 3"], ready={"kind": "none"})
        ended = self.daemon.await_state(good, "stopped")
        self.assertEqual(ended["exit_code"], 0)
        self.assertIsNotNone(ended["ended_at"])
        ended = self.daemon.await_state(bad, "failed")
        self.assertEqual(ended["exit_code"], 3)
        self.assert_mentions(ended["reason"], "3")

    def test_a_command_and_an_image_that_are_not_there_blame_no_host(self):
        scores = {n: h["error"]["score"] for n, h in self.daemon.hosts().items()}
        command = self.start("no-command", ["/does/not/exist"])
        image = self.start("no-image", WAIT, image="berth-nowhere:1", pull="never")
        self.assert_mentions(self.daemon.await_state(command, "failed", deadline_s=60)["reason"],
                             "command", "not exist", "no such file", "exec")
        self.assert_mentions(self.daemon.await_state(image, "failed", deadline_s=60)["reason"], "image")
        self.assertEqual({n: h["error"]["score"] for n, h in self.daemon.hosts().items()}, scores)

    def test_a_stop_is_gentle_first(self):
        script = "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.1; done"
        gentle = self.start("gentle", ["sh", "-c", script], stop_grace_s=10)
        self.daemon.await_running(gentle)
        wait_for(lambda: "up" in self.daemon.ask("GET", f"/v1/instances/{gentle}/logs").text, "it is up")
        self.daemon.stop_instance(gentle)
        self.daemon.await_state(gentle, "stopped")
        self.assertIn("bye", self.daemon.ask("GET", f"/v1/instances/{gentle}/logs").text)
        self.daemon.stop_instance(gentle)

    def test_a_lifetime_ends_and_can_be_extended(self):
        self.daemon.put_blueprint("mortal", WAIT, lifetime_s=3600, end_grace_s=0)
        short = self.daemon.run("mortal", lifetime_s=2)["id"]
        long = self.daemon.run("mortal", lifetime_s=60)["id"]
        first = self.daemon.await_running(long)
        self.assertIsNotNone(first["ends_at"])
        self.daemon.call("POST", f"/v1/instances/{long}/extend", {"lifetime_s": 3600})
        self.assertGreater(self.daemon.instance(long)["ends_at"], first["ends_at"])
        self.daemon.call("POST", f"/v1/instances/{long}/extend", {"lifetime_s": 3601}, status=400)
        ended = self.daemon.await_state(short, "stopped")
        self.assert_mentions(ended["reason"], "lifetime", "end")
        self.assertEqual(self.daemon.instance(long)["state"], "running")

    def test_a_crash_starts_again_as_far_as_the_policy_goes(self):
        crashing = self.start("crashing", ["sh", "-c", "exit 1"], ready={"kind": "none"},
                              restart={"policy": "on-failure", "max_retries": 2})
        ended = self.daemon.await_state(crashing, "failed", deadline_s=90)
        self.assertGreaterEqual(ended["generation"], 1)
        self.assertEqual(ended["exit_code"], 1)

        steady = self.start("steady", WAIT, restart={"policy": "always", "max_retries": 5})
        before = self.daemon.await_running(steady)
        self.world.engine_of(before).request("POST", f"/containers/{before['container_id']}/kill")
        def is_back():
            now = self.daemon.instance(steady)
            if now["state"] != "running":
                return False
            made = self.world.engine_of(now).inspect(now["container_id"])
            return made is not None and made["State"]["Running"]
        wait_for(is_back, "it runs again")

    def test_a_container_removed_behind_our_back_is_noticed(self):
        victim = self.start("victim", WAIT)
        running = self.daemon.await_running(victim)
        self.world.engine_of(running).request("DELETE", f"/containers/{running['container_id']}?force=1")
        ended = self.daemon.await_state(victim, "failed", "stopped")
        self.assertTrue(ended["reason"])


class TalkTest(cases.WorldTest):
    def logs(self, instance, **query):
        text = "&".join(f"{k}={v}" for k, v in query.items())
        return self.daemon.ask("GET", f"/v1/instances/{instance}/logs?{text}").text

    def test_logs_are_read_followed_and_kept(self):
        talker = self.start("talker", ["sh", "-c", "echo out; echo err >&2; exec fixture wait"])
        self.daemon.await_running(talker)
        wait_for(lambda: {"out", "err"} <= set(self.logs(talker).split()), "both streams are shown")
        self.assertEqual(len(self.logs(talker, tail=1).split()), 1)

        connection = http.client.HTTPConnection("127.0.0.1", self.daemon.port, timeout=20)
        connection.request("GET", f"/v1/instances/{talker}/logs?follow=true",
                           headers={"Authorization": "Bearer " + self.daemon.token})
        answer = connection.getresponse()
        self.daemon.stop_instance(talker)
        self.assertIn(b"out", answer.read())
        connection.close()

        self.daemon.await_state(talker, "stopped")
        self.assertEqual(set(self.logs(talker).split()), {"out", "err"})
        self.assertEqual(audit.copies(self.engines), [])
        self.daemon.restart()
        self.assertEqual(set(self.logs(talker).split()), {"out", "err"})

    def test_exec_gives_output_and_exit_code(self):
        worker = self.start("worker", WAIT)
        self.daemon.await_running(worker)
        answer = self.daemon.call("POST", f"/v1/instances/{worker}/exec",
                                  {"command": ["sh", "-c", "echo to out; echo to err >&2; exit 7"]})
        self.assertEqual(answer["exit_code"], 7)
        self.assertIn("to out", str(answer))
        self.assertIn("to err", str(answer))

    def test_tcp_and_udp_ports_answer(self):
        script = "fixture udp-echo 7 & exec httpd -f -p 8080 -h /www"
        server = self.start("server", ["sh", "-c", script], ports=[
            {"container": 8080, "protocol": "tcp", "name": "web"}, {"container": 7, "protocol": "udp"}])
        ports = {(p["container"], p["protocol"]): p for p in self.daemon.await_running(server)["ports"]}
        web, echo = ports[(8080, "tcp")], ports[(7, "udp")]
        self.assertEqual(http_get(web["host_address"], web["host_port"]), b"sample answers\n")
        self.assertEqual(udp_ask(echo["host_address"], echo["host_port"]), b"echo:hello")

    def test_it_runs_only_once_it_is_ready(self):
        script = "while [ ! -e /tmp/go ]; do sleep 0.05; done; exec httpd -f -p 8080 -h /www"
        for kind, more in (("port", {}), ("http", {"path": "/index.html"})):
            name = "slow-" + kind
            slow = self.start(name, ["sh", "-c", script], ports=[{"container": 8080, "protocol": "tcp"}],
                              ready={"kind": kind, "timeout_s": 30, **more})
            copy = wait_for(lambda: next((c for c in audit.copies(self.engines) if c.instance == slow
                                          and c.state == "running"), None), "its container runs")
            self.assertEqual(self.daemon.instance(slow)["state"], "starting")
            next(e for e in self.engines if e.name == copy.engine).exec(copy.id, "touch", "/tmp/go")
            self.daemon.await_running(slow)

    def test_what_never_gets_ready_fails_and_says_so(self):
        deaf = self.start("deaf", WAIT, ports=[{"container": 8080, "protocol": "tcp"}],
                          ready={"kind": "port", "timeout_s": 1})
        self.assert_mentions(self.daemon.await_state(deaf, "failed", deadline_s=60)["reason"], "ready")


class HostTest(cases.WorldTest):
    def move(self, name, verb, body=None):
        return self.daemon.call("POST", f"/v1/hosts/{self.daemon.hosts()[name]['id']}/{verb}", body or {})

    def tearDown(self):
        for name, host in self.daemon.hosts().items():
            if host["state"] == "inactive":
                self.move(name, "activate")
        super().tearDown()

    def test_a_drained_host_takes_nothing_until_it_is_activated(self):
        first, second = self.engines[0], self.engines[1]
        stays = self.start("stays", WAIT, pinned=second)
        self.daemon.await_running(stays)
        leaves = self.start("leaves", WAIT, pinned=first)
        self.daemon.await_running(leaves)
        self.move(first.name, "drain", {"deadline_s": 1})
        self.daemon.await_host(first.name, lambda h: h["state"] == "inactive" and not h["instances"],
                               "is inactive and empty", deadline_s=60)
        waiting = self.daemon.run("leaves")["id"]
        self.assertEqual(self.daemon.await_state(waiting, "queued")["state"], "queued")
        self.move(first.name, "activate")
        self.daemon.await_running(waiting)
        self.assertEqual(self.daemon.instance(stays)["state"], "running")

    def test_a_host_is_removed_and_added_again(self):
        engine = self.engines[2]
        self.daemon.await_running(self.start("there", WAIT, pinned=engine))
        self.world.stop_all()
        self.move(engine.name, "remove")
        wait_for(lambda: self.daemon.hosts().get(engine.name, {"state": "removed"})["state"] == "removed",
                 "the host is removed")
        self.assertEqual(len(engine.containers()), 0)
        self.daemon.call("POST", "/v1/hosts", {
            "pool": "default", "name": engine.name, "engine": engine.url, "ca": engine.identity.ca,
            "cert": engine.identity.cert, "key": engine.identity.key, "labels": {"place": engine.name}})
        wait_for(lambda: any(h["state"] == "active" and h["name"] == engine.name
                             for h in self.daemon.items("hosts")), "it is active again")
        self.daemon.await_running(self.daemon.run("there")["id"])


if __name__ == "__main__":
    cases.main()
