"""A host on which each start fails takes no new work once its error score is beyond the pool's threshold,
the default one; work goes on at the others, and people are told which host it is and why.
"""

import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.real import cases, daemon
from tests.real.wait import wait_for

WAIT = ["fixture", "wait"]
AT_ONCE = 3  # calls that a host may have under way when the threshold is passed
world = None


def setUpModule():
    global world
    cases.skip_unless_possible()
    world = cases.World(3, proxied=(0,), policy={"starts_per_host": AT_ONCE})


def tearDownModule():
    if world is not None:
        world.close()


class BadHostTest(cases.WorldTest):
    def setUp(self):
        self.bad, self.good, self.other = self.engines
        # A version of its own for each test: what one has taught about a blueprint does not hold back the next.
        env = {"TEST": self.id()}
        self.daemon.put_blueprint("anywhere", WAIT, env=env)
        for engine in self.engines:
            self.daemon.put_blueprint("on-" + engine.name, WAIT, env=env, host_labels={"place": engine.name})
        self.bad.break_starts()
        self.before = self.asked()

    def tearDown(self):
        self.bad.mend_starts()
        for engine in self.engines:
            self.vouch(engine)
        super().tearDown()

    def vouch(self, engine):
        host = self.host(engine)
        self.daemon.call("POST", f"/v1/hosts/{host['id']}/activate", {})
        self.daemon.await_host(engine.name, lambda h: h["error"]["score"] == 0, "is vouched for")

    def host(self, engine):
        return self.daemon.hosts()[engine.name]

    def is_beyond(self):
        error = self.host(self.bad)["error"]
        return error["score"] > error["threshold"]

    def asked(self):
        """How many starts the bad engine was asked for."""
        return sum(method == "POST" and path.endswith("/start") for method, path, _ in world.proxies[0].requests)

    def fail_beyond(self):
        """Only the bad host is asked until it is beyond its threshold; returns the instances that wait for it."""
        ids = [i["id"] for i in self.daemon.run("on-" + self.bad.name, count=3)]
        wait_for(self.is_beyond, "the score is beyond the threshold")
        return ids

    def test_it_takes_no_new_work_at_once_and_the_others_go_on(self):
        self.fail_beyond()
        self.world.stop_all()
        self.world.settle()
        asked = self.asked()
        self.assertGreater(asked - self.before, self.host(self.bad)["error"]["threshold"])

        ids = [i["id"] for i in self.daemon.run("anywhere", count=12)]
        rows = [self.daemon.await_running(i) for i in ids]
        good = {self.host(self.good)["id"], self.host(self.other)["id"]}
        self.assertTrue({r["host"] for r in rows} <= good)
        self.assertEqual({r["generation"] for r in rows}, {1}, "each ran at its first attempt")
        self.assertEqual(self.asked(), asked)

        waiting = self.daemon.run("on-" + self.bad.name)["id"]
        self.assertEqual(self.daemon.await_state(waiting, "queued")["generation"], 0)
        told = self.daemon.call("GET", f"/v1/instances/{waiting}/explain")["now"]
        self.assertIsNone(told["would_go_to"])
        verdict = next(o for o in told["others"] if o["name"] == self.bad.name)
        self.assert_mentions(json.dumps(verdict), "error", "score", "threshold")
        self.assertEqual(self.asked(), asked)

        self.bad.mend_starts()
        self.vouch(self.bad)
        self.daemon.await_running(waiting)

    def test_a_burst_that_meets_it_runs_elsewhere(self):
        ids = [i["id"] for i in self.daemon.run("anywhere", count=24)]
        for engine in (self.good, self.other):
            ids += [i["id"] for i in self.daemon.run("on-" + engine.name, count=4)]
        for instance in ids:
            self.daemon.await_running(instance, deadline_s=60)
        # Three failures in a row open its breaker, too: whichever comes first, the burst is over for it.
        self.assertGreater(self.asked(), self.before, "the burst met it")
        self.assertGreater(self.host(self.bad)["error"]["score"], 0)
        self.assertLessEqual(self.asked() - self.before, self.host(self.bad)["error"]["threshold"] + 1 + AT_ONCE)
        for engine in (self.good, self.other):
            host = self.host(engine)
            self.assertEqual((host["state"], host["error"]["score"]), ("active", 0))

    def test_people_are_told_which_and_why(self):
        self.fail_beyond()
        host = self.host(self.bad)
        self.assertEqual(host["error"]["last_kind"], "engine_failed")
        self.assertIsNotNone(host["error"]["last_at"])
        shown = self.berth("host", "show", self.bad.name)
        self.assertRegex(shown, r"score: [3-9]\.")
        self.assertIn("last_kind: engine_failed", shown)
        self.assertIn("OCI runtime create failed", self.berth("events", "--host", self.bad.name))
        self.assertIn(f"host {self.bad.name} of pool default gets no work: it failed too often", self.berth("status"))

    def berth(self, *arguments):
        env = dict(os.environ, BERTH_URL=self.daemon.url,
                   BERTH_TOKEN_FILE=os.path.join(self.daemon.data, "admin.token"))
        return subprocess.run([daemon.program("berth"), *arguments], env=env, check=True, capture_output=True,
                              text=True, timeout=60).stdout


if __name__ == "__main__":
    cases.main()
