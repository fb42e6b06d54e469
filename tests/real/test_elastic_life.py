"""The life of a pool on real machines: it grows to three hosts, loses one to its provider, one to an engine that
hangs and one to its age, and shrinks. One cloud and one daemon for all of it: each part begins where the one before
it ended. The engine is in the image, as in one that somebody made for speed.
"""

import pathlib
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.real import cases
from tests.real.elastic import MIB, PREPARE_S, TYPES, Elastic, age_s, machines_settings, why_not
from tests.real.wait import wait_for

INSTANCES = 40
EACH_BYTES = 96 * MIB  # 18 of them fill a machine
STAY = 15              # for what comes after the growth
MOVE_S = 90            # to another host that is there
POLICY = {"min_hosts": 0, "max_hosts": 4, "consolidate": False, "retire_deadline_s": 5, "suspended_max_s": 1,
          "host_lifetime_low_s": 1}


class LifeTest(unittest.TestCase):
    def setUp(self):
        self.world = Elastic(policy=POLICY, pool={"spot": True, "machine_types": TYPES[:1]},
                             machines={**machines_settings(), "packages": ["docker.io"]})
        self.addCleanup(self.world.close)
        self.daemon = self.world.daemon

    def test_life(self):
        self.world.start()
        self.world.load_image()
        for part in (self.grow, self.interrupt, self.hang, self.grow_old, self.shrink):
            print(f"{part.__name__}: {part.__doc__}", flush=True)
            part()
            self.world.assert_nothing_leaked()
            self.world.assert_one_machine_each()

    # --- The parts ---

    def grow(self):
        """Demand for forty instances makes three hosts of none, no more; all forty answer."""
        self.world.blueprint("web", EACH_BYTES, restart={"policy": "always"})
        ids = [one["id"] for one in self.daemon.run("web", count=INSTANCES)]
        hosts = self.world.await_hosts(3, deadline_s=2 * PREPARE_S)
        self.assert_all_answer(ids)
        self.assertEqual(self.world.ledger()["launched"], 3, "as many machines as were needed")
        self.assertTrue(all(h["spot"] for h in hosts), hosts)
        # From now on five are on each host.
        for host in hosts:
            on_it = [i["id"] for i in self.running() if i["host"] == host["id"]]
            for one in on_it[STAY // 3:]:
                self.daemon.stop_instance(one)
        kept = {i["id"] for i in self.running()} - {i["id"] for i in self.daemon.items("instances") if i["desired"] == "stopped"}
        wait_for(lambda: {i["id"] for i in self.running()} == kept, "what was stopped has ended", MOVE_S)
        self.kept = sorted(kept)
        self.assertGreaterEqual(len(kept), 3)
        self.set_policy(min_hosts=2)

    def interrupt(self):
        """The provider takes a spot machine back: what ran there runs elsewhere."""
        victim = self.busiest()
        moved = self.of(victim)
        self.world.interrupt(victim, notice_s=6)
        self.await_event("host.notice", victim)
        self.await_away(victim, moved)
        self.await_gone(victim)
        self.assertEqual(len(self.world.hosts("active")), 2)

    def hang(self):
        """An engine stops to answer: its host is given back and replaced; the other host's instances know nothing of it."""
        victim = self.busiest()
        moved = self.of(victim)
        others = {i["id"]: i["generation"] for i in self.running() if i["id"] not in moved}
        with self.world.engine_hangs(victim):
            self.await_event("host.unreachable", victim)
            self.assertEqual(self.generations(others), others, "they run as they did")
            self.assert_all_answer(others)
            self.await_away(victim, moved)
            self.await_gone(victim)
        self.assertEqual(self.generations(others), others, "they were not moved")
        self.world.await_hosts(2)

    def grow_old(self):
        """The older host reaches the end of its life: another one is in service before it leaves."""
        old, young = sorted(self.world.hosts("active"), key=lambda h: h["first_used_at"] or h["active_at"])
        moved = self.of(old)
        self.assertTrue(moved, "something runs on it")
        self.set_policy(host_lifetime_s=self.life_between(old, young))
        self.await_gone(old)
        self.set_policy(host_lifetime_s=0)
        self.await_away(old, moved)
        self.assertIn(young["id"], [h["id"] for h in self.world.hosts("active")], "the younger one stays")
        order = [(e["kind"], e["host"]) for e in self.daemon.items("events", kind="host.")]
        left = order.index(("host.drain", old["id"]))
        new, = [h["id"] for h in self.world.hosts("active") if h["id"] != young["id"]]
        self.assertLess(order.index(("host.active", new)), left, "replaced before it was retired")

    def shrink(self):
        """Without demand the pool shrinks to its minimum, and with a minimum of 0 to nothing."""
        for one in self.kept:
            self.daemon.stop_instance(one)
        self.set_policy(min_hosts=1, consolidate=True)
        self.world.await_machines(1)
        self.world.await_hosts(1)
        self.set_policy(min_hosts=0)
        self.world.await_machines(0)
        self.world.await_hosts(0, "spawned", "active", "inactive")
        self.assertEqual(self.world.ledger()["launched"], 5, "three at first, one for the hung one, one for the old one")

    # --- What they share ---

    def set_policy(self, **rules):
        self.world.pool["policy"].update(rules)
        self.daemon.reload()

    def running(self):
        return self.daemon.items("instances", state="running")

    def generations(self, ids):
        return {i["id"]: i["generation"] for i in self.running() if i["id"] in ids}

    def of(self, host):
        return [i["id"] for i in self.running() if i["host"] == host["id"]]

    def busiest(self):
        return max(self.world.hosts("active"), key=lambda h: (h["instances"], h["id"]))

    def life_between(self, old, young):
        """Seconds: the life of the older one is over, that of the younger one is not for a good while."""
        ages = [age_s(h["first_used_at"] or h["active_at"]) for h in (old, young)]
        self.assertGreater(ages[0], ages[1] + 5)
        return int(ages[0])

    def assert_all_answer(self, ids):
        with ThreadPoolExecutor(4) as several:
            answers = list(several.map(self.await_answer, ids))
        self.assertEqual(answers, [b"sample answers\n"] * len(answers))

    def await_answer(self, one):
        self.daemon.await_running(one, deadline_s=PREPARE_S)
        return self.world.answer(one)

    def await_event(self, kind, host):
        wait_for(lambda: self.daemon.items("events", kind=kind, host=host["id"]),
                 lambda: f"{kind} of {host['name']}\n{self.world.story()}", MOVE_S)

    def await_away(self, host, ids):
        """They run and answer elsewhere."""
        wait_for(lambda: all(i["state"] == "running" and i["host"] != host["id"] for i in map(self.daemon.instance, ids)),
                 lambda: f"{ids} run on other hosts than {host['name']}\n{self.world.story()}", MOVE_S)
        self.assert_all_answer(ids)

    def await_gone(self, host, deadline_s=2 * PREPARE_S):
        wait_for(lambda: self.daemon.call("GET", f"/v1/hosts/{host['id']}")["state"] == "removed",
                 lambda: f"{host['name']} is removed\n{self.world.story()}", deadline_s)


if __name__ == "__main__":
    cases.main(why_not())
