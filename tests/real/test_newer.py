"""Lives of instances on the engine of a newer Debian: what test_life proves on this machine's own, and that
its newer API is the one in use.  tests/support/newer_engine.sh puts the engine there.
"""

import os
import pathlib
import sys
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE))

from tests.real import cases, test_life

ROOT = os.environ.get("BERTH_ENGINE_ROOT", str(SOURCE / "build" / "engine"))
OLDEST_API = (1, 45)
world = None


def why_not():
    return None if os.path.exists(os.path.join(ROOT, "complete")) else f"no newer engine at {ROOT}"


def setUpModule():
    global world
    cases.skip_unless_possible(why_not())
    os.environ["BERTH_ENGINE_ROOT"] = ROOT
    world = cases.World(3, memory_bytes=test_life.HOST_MEMORY)


def tearDownModule():
    if world is not None:
        world.close()


class VersionTest(cases.WorldTest):
    def test_the_newer_api_is_in_use(self):
        for host in self.daemon.hosts().values():
            self.assertGreaterEqual(tuple(int(n) for n in host["engine"]["api"].split(".")), OLDEST_API)


class EndTest(test_life.EndTest):
    pass


class TalkTest(test_life.TalkTest):
    pass


if __name__ == "__main__":
    cases.main(why_not())
