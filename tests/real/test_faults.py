"""Engines that hang, die, lose power or lose their replies: work on the others goes on, nothing is
doubled, no orphan stays, and what can recover does so by itself.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.real import audit, cases
from tests.real.proxy import Action, Rule
from tests.real.wait import wait_for

WAIT = ["fixture", "wait"]
RECOVERY_S = 90
world = None


def setUpModule():
    global world
    cases.skip_unless_possible()
    # One host has the faults of a year in a few minutes, and is to come back from each all the same.
    world = cases.World(3, proxied=(0,), policy={"error_threshold": 1000})


def tearDownModule():
    if world is not None:
        world.close()


class FaultTest(cases.WorldTest):
    """engines[0] is the one with the fault; engines[1] and [2] must not feel it."""

    def setUp(self):
        self.bad, self.good, self.other = self.engines
        for engine in self.engines:
            self.daemon.put_blueprint("on-" + engine.name, WAIT, host_labels={"place": engine.name})
        self.daemon.put_blueprint("anywhere", WAIT)

    def tearDown(self):
        self.world.proxies[0].clear()
        for engine in self.engines:
            self.daemon.await_host(engine.name, lambda h: h.get("state") == "active", "is active")
        super().tearDown()

    def launch(self, engine=None, count=1):
        name = "on-" + engine.name if engine else "anywhere"
        return [i["id"] for i in self.daemon.run(name, count=count)]

    def assert_work_goes_on(self):
        """Launches and stops on the other engines end while the fault lasts."""
        ids = self.launch(self.good, 4) + self.launch(self.other, 4)
        for instance in ids:
            self.daemon.await_running(instance)
        self.daemon.stop_instance(ids[0])
        self.daemon.await_state(ids[0], "stopped")
        self.assertEqual(audit.doubles(audit.copies([self.good, self.other])), [])

    def assert_recovers(self, ids):
        for instance in ids:
            self.daemon.await_running(instance, deadline_s=RECOVERY_S)
        self.world.settle(RECOVERY_S)

    def containers_of(self, instance):
        return [c for c in audit.copies(self.engines) if c.instance == instance]


class SilentEngineTest(FaultTest):
    def test_an_engine_stopped_before_the_launch(self):
        before = self.launch(self.bad, 2)
        for instance in before:
            self.daemon.await_running(instance)
        kept = {i: self.daemon.instance(i)["container_id"] for i in before}
        self.bad.suspend()
        try:
            stuck = self.launch(self.bad, 3)
            self.assert_work_goes_on()
            for instance in stuck:
                self.assertIn(self.daemon.instance(instance)["state"], ("queued", "starting"))
            # Unreachable is not stopped: what ran there is not started a second time elsewhere.
            for instance in before:
                self.assertEqual(self.daemon.instance(instance)["state"], "running")
        finally:
            self.bad.resume()
        self.assert_recovers(stuck)
        self.assertEqual({i: self.daemon.instance(i)["container_id"] for i in before}, kept)

    def test_an_engine_stopped_under_load(self):
        ids = self.launch(self.bad, 6) + self.launch(count=6)
        wait_for(lambda: any(c.engine == self.bad.name for c in audit.copies([self.bad])),
                 "the first container was created")
        self.bad.suspend()
        try:
            self.assert_work_goes_on()
        finally:
            self.bad.resume()
        self.assert_recovers(ids)

    def test_a_stop_asked_of_a_silent_engine_happens_later(self):
        victim = self.launch(self.bad)[0]
        self.daemon.await_running(victim)
        self.bad.suspend()
        try:
            self.daemon.stop_instance(victim)
            # By a ping: a list alone would wait for 30 s.
            self.daemon.await_host(self.bad.name, lambda h: not h["engine"]["reachable"], "was found silent", 20)
            self.assert_work_goes_on()
        finally:
            self.bad.resume()
        self.daemon.await_state(victim, "stopped", deadline_s=RECOVERY_S)
        wait_for(lambda: not self.containers_of(victim), "its container is gone", RECOVERY_S)


class DeadEngineTest(FaultTest):
    def test_an_engine_killed_under_load(self):
        ids = self.launch(self.bad, 6)
        wait_for(lambda: audit.copies([self.bad]), "the first container was created")
        self.bad.kill()
        try:
            self.assert_work_goes_on()
        finally:
            self.bad.start()
        wait_for(lambda: self.daemon.hosts()[self.bad.name]["state"] == "active"
                 and all(self.daemon.instance(i)["state"] in ("running", "failed") for i in ids),
                 "each runs, or was told as failed when the engine took its container along", RECOVERY_S)
        for instance in ids:
            if self.daemon.instance(instance)["state"] == "failed":
                self.assertTrue(self.daemon.instance(instance)["reason"])
        self.world.settle(RECOVERY_S)
        self.assert_recovers(self.launch(self.bad, 2))

    def test_a_machine_without_power(self):
        ids = self.launch(self.bad, 3)
        for instance in ids:
            self.daemon.await_running(instance)
        self.bad.power_off()
        try:
            self.assert_work_goes_on()
        finally:
            self.bad.start()
        for instance in ids:
            ended = self.daemon.await_state(instance, "failed", "stopped", deadline_s=RECOVERY_S)
            self.assertTrue(ended["reason"])
        self.assert_recovers(self.launch(self.bad, 2))

    def test_berthd_starts_beside_a_dead_engine(self):
        ids = self.launch(self.bad, 2) + self.launch(self.good, 2)
        for instance in ids:
            self.daemon.await_running(instance)
        self.bad.kill()
        try:
            self.daemon.restart()
            self.assert_work_goes_on()
        finally:
            self.bad.start()
        self.world.settle(RECOVERY_S)


class LostReplyTest(FaultTest):
    """The first requests of a kind are spoiled; each instance must end up with one container all the same."""

    def check(self, action, path, method="POST", count=4, spoiled=3):
        rule = self.world.proxies[0].add(Rule(action, path, method, last=spoiled))
        ids = self.launch(self.bad, count)
        self.assert_work_goes_on()
        self.assert_recovers(ids)
        self.assertGreaterEqual(rule.applied, 1)
        for instance in ids:
            self.assertEqual(len(self.containers_of(instance)), 1)

    def test_replies_to_create_are_cut(self):
        self.check(Action.CUT_BEFORE_REPLY, "/containers/create")

    def test_replies_to_create_end_in_their_midst(self):
        self.check(Action.CUT_WITHIN_REPLY, "/containers/create")

    def test_requests_to_create_are_cut(self):
        self.check(Action.CUT_BEFORE_REQUEST, "/containers/create")

    def test_replies_to_start_are_cut(self):
        self.check(Action.CUT_BEFORE_REPLY, "/start")

    def test_replies_to_start_are_late(self):
        self.world.proxies[0].add(Rule(Action.DELAY_REPLY, "/start", "POST", last=4, delay_s=2))
        self.assert_recovers(self.launch(self.bad, 4))

    def test_replies_to_inspect_and_list_are_cut(self):
        self.check(Action.CUT_BEFORE_REPLY, "/json", "GET")

    def test_replies_to_stop_and_remove_are_cut(self):
        ids = self.launch(self.bad, 3)
        for instance in ids:
            self.daemon.await_running(instance)
        proxy = self.world.proxies[0]
        rules = [proxy.add(Rule(Action.CUT_BEFORE_REPLY, "/containers/", "DELETE", last=2)),
                 proxy.add(Rule(Action.CUT_BEFORE_REPLY, "/stop", "POST", last=2))]
        for instance in ids:
            self.daemon.stop_instance(instance)
        for instance in ids:
            self.daemon.await_state(instance, "stopped", deadline_s=RECOVERY_S)
        self.world.settle(RECOVERY_S)
        self.assertGreaterEqual(sum(r.applied for r in rules), 1)

    def test_a_reply_that_never_comes(self):
        # To inspect: what changes something may take a minute before it counts as lost.
        proxy = self.world.proxies[0]
        proxy.add(Rule(Action.CUT_BEFORE_REPLY, "/containers/create", "POST", last=1))
        rule = proxy.add(Rule(Action.SWALLOW, "/containers/berth-[^/]*/json", "GET", last=1))
        ids = self.launch(self.bad, 2)
        wait_for(lambda: rule.applied, "the reply was swallowed")
        self.assert_work_goes_on()
        self.assert_recovers(ids)


class AdoptionTest(FaultTest):
    def test_a_restart_finds_everything_again(self):
        ids = self.launch(self.good, 3) + self.launch(self.other, 3)
        before = {i: self.daemon.await_running(i) for i in ids}
        stays = {c.id for c in audit.copies(self.engines)}
        self.daemon.restart()
        self.world.settle()
        for instance, row in before.items():
            now = self.daemon.instance(instance)
            self.assertEqual([now[k] for k in ("state", "container_id", "generation", "started_at", "host")],
                             [row[k] for k in ("state", "container_id", "generation", "started_at", "host")])
        self.assertEqual({c.id for c in audit.copies(self.engines)}, stays)

    def test_what_ended_while_nobody_watched_is_told(self):
        instance = self.daemon.await_running(self.launch(self.good)[0])
        self.daemon.stop()
        self.good.request("POST", f"/containers/{instance['container_id']}/kill")
        self.daemon.start()
        ended = self.daemon.await_state(instance["id"], "failed")
        self.assertEqual(ended["exit_code"], 137)

    def test_a_container_of_ours_that_no_row_knows_is_removed(self):
        instance = self.daemon.await_running(self.launch(self.good)[0])
        labels = self.good.inspect(instance["container_id"])["Config"]["Labels"]
        later = {**labels, "berth.generation": "77"}
        orphan = self.good.run(f"berth-{instance['id']}-77", WAIT, Labels=later)
        wait_for(lambda: self.good.inspect(orphan) is None, "the orphan is removed")
        self.assertTrue(self.good.inspect(instance["container_id"])["State"]["Running"])

    def test_foreign_containers_are_never_touched(self):
        ours = self.daemon.await_running(self.launch(self.good)[0])
        labels = self.good.inspect(ours["container_id"])["Config"]["Labels"]
        foreign = [(engine, engine.run(name, WAIT, Labels=marks))
                   for engine in self.engines
                   for name, marks in (("somebody", {}), ("berth-i-0000000000001-1", {}),
                                       ("another", {**labels, "berth.cluster": "another"}))]
        try:
            self.launch(count=3)
            self.world.stop_all()
            self.daemon.call("POST", "/v1/housekeeping", {})
            self.daemon.restart()
            self.world.stop_all()
            wait_for(lambda: all(i["state"] in ("stopped", "failed") for i in self.daemon.items("instances")),
                     "ours have stopped")
            for engine, container in foreign:
                self.assertTrue(engine.inspect(container)["State"]["Running"])
        finally:
            for engine, container in foreign:
                engine.request("DELETE", f"/containers/{container}?force=1")


if __name__ == "__main__":
    cases.main()
