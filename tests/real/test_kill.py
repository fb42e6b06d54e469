"""berthd is killed with SIGKILL at random points under load, again and again.

What was acknowledged is there afterwards; no container is doubled; none is an orphan. The rounds
come from one seed, printed and taken from BERTH_SEED, so that a failure can be tried again (the
points move with the machine's speed all the same).
"""

import http.client
import os
import pathlib
import random
import sys
import threading
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.real import audit, cases
from tests.real.daemon import FINAL

ROUNDS = int(os.environ.get("BERTH_KILL_ROUNDS", "100"))
CLIENTS = 3
LIVE_MAX = 12
SILENT = (OSError, http.client.HTTPException)
world = None


def setUpModule():
    global world
    cases.skip_unless_possible()
    world = cases.World(3)


def tearDownModule():
    if world is not None:
        world.close()


class Client(threading.Thread):
    """Starts and stops instances, and writes down what was acknowledged.

    A request without an answer is repeated with its key until there is one, as a careful client does.
    """

    def __init__(self, daemon, seed, ended):
        super().__init__(name=f"client-{seed}")
        self._daemon = daemon
        self._random = random.Random(seed)
        self._ended = ended
        self.owned = []      # acknowledged and not asked to stop
        self.stopped = []    # the stop was acknowledged
        self.repeated = 0    # posts that were sent more than once
        self.problems = []

    def run(self):
        try:
            while not self._ended.is_set():
                if len(self.owned) >= LIVE_MAX or self.owned and self._random.random() < 0.45:
                    self._stop_one()
                else:
                    self._start_some()
        except Exception as problem:  # pylint: disable=broad-except; told by the test
            self.problems.append(repr(problem))

    def _ask(self, method, path, body=None, key=None):
        """Until berthd answers; it may be down for a while."""
        headers = {"Idempotency-Key": key} if key else {}
        tries = 0
        while True:
            tries += 1
            try:
                reply = self._daemon.ask(method, path, body, headers=headers, timeout=20)
            except SILENT:
                if self._ended.wait(0.01) and tries > 2000:
                    raise
                continue
            if reply.status in (409, 503) and key or reply.status == 503:
                self._ended.wait(0.01)
                continue
            self.repeated += tries > 1
            return reply

    def _start_some(self):
        count = self._random.randint(1, 3)
        reply = self._ask("POST", "/v1/instances", {"blueprint": "load", "count": count}, uuid.UUID(
            int=self._random.getrandbits(128)).hex)
        if reply.status != 202:
            raise AssertionError(f"POST answered {reply.status}: {reply.text}")
        ids = [i["id"] for i in reply.json()["items"]]
        if len(set(ids)) != count:
            raise AssertionError(f"asked for {count}, got {ids}")
        self.owned += ids

    def _stop_one(self):
        victim = self.owned.pop(self._random.randrange(len(self.owned)))
        reply = self._ask("DELETE", f"/v1/instances/{victim}")
        if reply.status not in (202, 404):
            raise AssertionError(f"DELETE {victim} answered {reply.status}: {reply.text}")
        self.stopped.append(victim)


class KillTest(cases.WorldTest):
    def test_kill_at_random_points_under_load(self):
        seed = int(os.environ.get("BERTH_SEED", "1"))
        print(f"{ROUNDS} rounds from BERTH_SEED={seed}")
        chance = random.Random(seed)
        self.daemon.put_blueprint("load", ["fixture", "wait"], memory_bytes=8 << 20)
        ended = threading.Event()
        clients = [Client(self.daemon, seed * 1000 + n, ended) for n in range(CLIENTS)]
        for client in clients:
            client.start()
        try:
            for number in range(ROUNDS):
                self.one_round(chance, number)
        finally:
            ended.set()
            for client in clients:
                client.join(60)
        self.check(clients)

    def one_round(self, chance, number):
        """Kills it in the midst of its work, or of its start."""
        if chance.random() < 0.25:
            self.daemon.kill()
            self.daemon.launch()
            time.sleep(chance.uniform(0.0, 0.08))
        else:
            time.sleep(chance.uniform(0.0, 0.4))
        self.daemon.kill()
        found = audit.copies(self.engines)
        self.assertEqual(audit.doubles(found), [], f"after kill {number}")
        self.daemon.start()

    def check(self, clients):
        for client in clients:
            self.assertFalse(client.is_alive())
            self.assertEqual(client.problems, [])
        owned = {i for c in clients for i in c.owned}
        stopped = {i for c in clients for i in c.stopped}
        print(f"{len(owned) + len(stopped)} instances acknowledged, {len(stopped)} stops, "
              f"{sum(c.repeated for c in clients)} requests repeated")
        self.assertGreater(len(owned) + len(stopped), ROUNDS)
        self.assertEqual(owned & stopped, set())

        self.world.settle(90)
        states = {i["id"]: i["state"] for i in self.daemon.items("instances")}
        self.assertEqual({i: states.get(i) for i in owned}, {i: "running" for i in owned})
        # Ended instances may have left the list by retention; a stop must never be forgotten.
        self.assertEqual({i: states[i] for i in stopped if states.get(i, "stopped") not in FINAL}, {})
        self.assertEqual({i for i, s in states.items() if s not in FINAL}, owned)
        self.assertEqual({c.instance for c in audit.copies(self.engines)}, owned)
        for engine in self.engines:
            self.assertEqual([c["Id"] for c in engine.containers() if audit.CLUSTER not in c["Labels"]], [])


if __name__ == "__main__":
    cases.main()
