"""Of three engines more than one is bad, each in its way: launches go on at the good ones, nothing runs twice, and
once the cause is gone each bad one comes back by itself: through a canary container, then probation.
"""

import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.real import cases, daemon, liar
from tests.real.wait import wait_for

WAIT = ["fixture", "wait"]
CANARY = "berth.canary"
BACK_S = 240  # the longest pause between canaries that these tests let come about, and some more
world = None


def setUpModule():
    global world
    cases.skip_unless_possible()
    world = cases.World(4, proxied=(3,), policy={"probation": 2, "error_threshold": 2})


def tearDownModule():
    if world is not None:
        world.close()


class TrustTest(cases.WorldTest):
    def setUp(self):
        self.hanging, self.failing, self.good, self.lying = self.engines
        for engine in self.engines:
            self.daemon.put_blueprint("on-" + engine.name, WAIT, host_labels={"place": engine.name})
        self.daemon.put_blueprint("anywhere", WAIT)

    def host(self, engine):
        return self.daemon.hosts()[engine.name]

    def trial(self, engine):
        return (self.host(engine)["trial"] or {"state": "trusted"})["state"]

    def kinds(self, engine):
        path = f"/v1/events?host={self.host(engine)['id']}&kind=host.&order=newest&limit=1000"
        return [e["kind"] for e in reversed(self.daemon.call("GET", path)["items"])]

    def launch(self, engine):
        """One more, which only this engine may take."""
        return self.daemon.run("on-" + engine.name)["id"]

    def test_bad_hosts_hold_up_nobody_and_come_back(self):
        lies = liar.Liar(world.proxies[3])
        self.failing.break_starts()
        self.hanging.suspend()
        lies.hide(lambda container: CANARY not in container["Labels"])
        try:
            self.bad_ones_are_suspended()
        finally:
            self.hanging.resume()
            self.failing.mend_starts()
            lies.confess()
        self.world.stop_all()
        for engine in (self.hanging, self.failing, self.lying):
            self.comes_back(engine)

    def bad_ones_are_suspended(self):
        bad = (self.hanging, self.failing, self.lying)
        for engine in bad:
            for _ in range(3):
                self.launch(engine)
        rows = [self.daemon.await_running(i["id"], deadline_s=120) for i in self.daemon.run("anywhere", count=12)]
        good = self.host(self.good)["id"]
        for engine in bad:
            wait_for(lambda: self.trial(engine) == "suspended", f"{engine.name} is suspended", 120)
        # From now on nobody waits for them, and nothing is even tried there.
        more = [self.daemon.await_running(i["id"]) for i in self.daemon.run("anywhere", count=12)]
        self.assertEqual({row["host"] for row in more}, {good})
        self.assertEqual({row["generation"] for row in more}, {1}, "each ran at its first attempt")
        self.assert_once(rows + more)
        self.assertEqual(self.trial(self.good), "trusted")
        self.assertEqual(self.host(self.good)["error"]["score"], 0)
        shown = self.berth("host", "show", self.failing.name)
        self.assertIn("host.suspended", shown)
        self.assertIn("is above the threshold of 2.000", shown)

    def assert_once(self, rows):
        """What runs on the engines that tell the truth is there once, and on no other."""
        names = [f"berth-{row['id']}-{row['generation']}" for row in rows if row["host"] == self.host(self.good)["id"]]
        running = [c["Names"][0].lstrip("/") for engine in (self.failing, self.good, self.lying)
                   for c in engine.containers() if c["State"] == "running"]
        for name in names:
            self.assertEqual(running.count(name), 1, name)

    def berth(self, *arguments):
        env = dict(os.environ, BERTH_URL=self.daemon.url,
                   BERTH_TOKEN_FILE=os.path.join(self.daemon.data, "admin.token"))
        return subprocess.run([daemon.program("berth"), *arguments], env=env, check=True, capture_output=True,
                              text=True, timeout=60).stdout

    def comes_back(self, engine):
        wait_for(lambda: self.trial(engine) != "suspended", f"a canary container runs on {engine.name}", BACK_S)
        ids = [self.launch(engine) for _ in range(3)]
        for instance in ids:
            self.daemon.await_running(instance, deadline_s=60)
        wait_for(lambda: self.trial(engine) == "trusted", f"{engine.name} is trusted again", 30)
        self.assertEqual(self.host(engine)["error"]["score"], 0)
        kinds = self.kinds(engine)
        for before, after in (("host.suspended", "host.probation"), ("host.probation", "host.trusted")):
            self.assertLess(kinds.index(before), len(kinds) - 1 - kinds[::-1].index(after))
        wait_for(lambda: not engine.containers(CANARY), f"nothing is left of a canary on {engine.name}", 60)


if __name__ == "__main__":
    cases.main()
