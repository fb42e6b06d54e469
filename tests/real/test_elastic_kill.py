"""berthd is killed with SIGKILL a hundred times while it launches machines, prepares them and gives them back.

Never are there two machines for one intent; in the end the ledger knows of nothing that leaked, and each machine
that was launched became a host that served. The points come from one seed, printed and taken from BERTH_SEED (they
move with the machine's speed all the same). To be at many points of a machine's short life, the provider is slow to
answer, and the engine is in the image already.
"""

import collections
import json
import os
import pathlib
import random
import shutil
import sqlite3
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.real import cases
from tests.real.elastic import GIB, LIFE, PREPARE_S, TYPES, Elastic, machines_settings, why_not
from tests.real.wait import wait_for

KILLS = int(os.environ.get("BERTH_KILL_ROUNDS", "100"))
A_SPAWN, A_RETIREMENT = 12, 5  # most kills in one; then it may go on to its end
PAUSES_S = (0.3, 1.0, 2.0)    # the most between two
SLOW_S = 0.5


class KillTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.world = Elastic(policy={"max_hosts": 2, "launches_per_hour": 0}, pool={"machine_types": TYPES[:1]},
                             life={**LIFE, "shutdown_s": 1.0},
                             machines={**machines_settings(), "packages": ["docker.io"]})
        self.addCleanup(self.world.close)
        self.daemon = self.world.daemon
        self.hit = {"spawn": collections.Counter(), "retirement": collections.Counter()}
        seed = int(os.environ.get("BERTH_SEED", "1"))
        self.chance = random.Random(seed)
        self.cycles = 0
        print(f"{KILLS} kills from BERTH_SEED={seed}", flush=True)

    @property
    def kills(self):
        return sum(sum(stages.values()) for stages in self.hit.values())

    def test_kills_in_spawn_and_retirement(self):
        self.world.start()
        self.world.load_image()
        self.world.blueprint("web", GIB)  # a machine for each
        for action in ("RunInstances", "TerminateInstances"):
            self.world.fault(action=action, kind="slow", seconds=SLOW_S)
        while self.kills < KILLS:
            ids = [one["id"] for one in self.daemon.run("web", count=self.chance.choice((1, 1, 2)))]
            self.await_any("spawned")
            self.kill_often("spawn", A_SPAWN)
            for one in ids:
                self.daemon.await_running(one, deadline_s=PREPARE_S)
                self.assertEqual(self.world.answer(one), b"sample answers\n")
            for one in ids:
                self.daemon.stop_instance(one)
            self.await_any("inactive")
            if self.cycles % 2 == 0:
                self.await_returning()
            self.cycles += 1
            self.kill_often("retirement", A_RETIREMENT)
            self.world.await_machines(0)
            self.world.await_hosts(0, "spawned", "active", "inactive")
        self.check()

    def await_any(self, state):
        """It has begun."""
        wait_for(lambda: self.world.hosts(state), lambda: f"a host is {state}\n{self.world.story()}")

    def await_returning(self):
        """The provider is being asked: half a second, and what its machine takes to end."""
        wait_for(lambda: [h for h in self.world.hosts("inactive") if h["waiting_for"] == "end of its machine"],
                 lambda: f"a machine is given back\n{self.world.story()}")
        self.kill("retirement")

    def kill_often(self, what, most):
        """Counted from when it began, or from the start after the last kill, which may not have ended."""
        for _ in range(min(most, KILLS - self.kills)):
            time.sleep(self.chance.uniform(0.0, self.chance.choice(PAUSES_S)))
            self.kill(what)
        self.daemon.await_ready()

    def kill(self, what):
        self.daemon.kill()
        self.hit[what].update(self.stages() or ["none"])
        self.daemon.launch()
        self.world.assert_one_machine_each()

    def stages(self):
        """The one of the machine that is the furthest from rest, as the next start will find it."""
        folder = tempfile.mkdtemp(prefix="berth-rows-")
        try:
            for name in ("berth.db", "berth.db-wal"):
                shutil.copy(os.path.join(self.daemon.data, name), folder)
            rows = sqlite3.connect(os.path.join(folder, "berth.db"))
            found = rows.execute("SELECT state, machine FROM hosts WHERE state <> 'removed' ORDER BY id").fetchall()
            rows.close()
        finally:
            shutil.rmtree(folder)
        return [f"{state} {json.loads(machine)['stage']}" for state, machine in found][:1]

    def history(self, host):
        """What became of it, from its row to its preparation."""
        told = [json.dumps(host, indent=1)]
        told += [f"{e['at']} {e['kind']} {e.get('text') or ''}" for e in self.daemon.items("events", host=host["id"])]
        told += [json.dumps(step) for step in self.daemon.items(f"hosts/{host['id']}/log")]
        return "\n".join(told)

    def check(self):
        for what, stages in self.hit.items():
            print(f"{what}: " + ", ".join(f"{stage} {count}" for stage, count in stages.most_common()), flush=True)
        book = self.world.assert_nothing_leaked()
        self.world.assert_one_machine_each()
        hosts = self.daemon.items("hosts")
        lost = [h for h in hosts if h["active_at"] is None]
        self.assertEqual([self.history(h) for h in lost], [], "each machine became a host")
        self.assertEqual(book["launched"], len(hosts), "each host had a machine")
        for kind in ("host.lost", "host.given_up", "pool.orphan"):
            self.assertEqual(self.daemon.items("events", kind=kind), [])
        self.assertGreaterEqual(len(self.hit["spawn"]), 3, "stages that were hit")
        self.assertGreaterEqual(len(self.hit["retirement"]), 2, "stages that were hit")


if __name__ == "__main__":
    cases.main(why_not())
