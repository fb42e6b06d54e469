"""A host kept warm on a real machine, by a playbook that fails once on the way: the log says where and why, the next attempt
goes on from there, and demand finds the host within seconds.
"""

import pathlib
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.real import cases
from tests.real.elastic import PREPARE_S, TYPES, Elastic, machines_settings, why_not
from tests.real.wait import wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
BEFORE = "    - name: Make folders for configuration\n"
BROKEN = """    - name: Fail once
      shell: test -e /var/tmp/tried || { touch /var/tmp/tried; echo the disk is on fire >&2; exit 7; }

"""


def playbook(folder):
    """The stock playbook with a step that fails once; its path."""
    shutil.copytree(ROOT / "playbooks", folder, dirs_exist_ok=True)
    path = pathlib.Path(folder) / "docker-host.yml"
    path.write_text(path.read_text().replace(BEFORE, BROKEN + BEFORE))
    return str(path)


class WarmTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.mkdtemp(prefix="berth-playbook-")
        self.addCleanup(shutil.rmtree, folder)
        self.world = Elastic(policy={"warm_hosts": 1, "max_hosts": 2},
                             pool={"machine_types": TYPES[:1], "playbook": playbook(folder)},
                             machines={**machines_settings(), "packages": ["docker.io"]})
        self.addCleanup(self.world.close)
        self.daemon = self.world.daemon

    def test_warm(self):
        world = self.world.start()
        world.load_image()
        host, = world.await_hosts(1, "spawned")
        wait_for(lambda: self.machine_state(host["id"]) == "stopped",
                 lambda: f"{host['name']} is prepared and stopped\n{world.story()}", PREPARE_S)
        self.look_at_log(host)
        world.assert_nothing_leaked()

        world.blueprint("web")
        one = self.daemon.run("web")["id"]
        self.daemon.await_running(one, deadline_s=60)
        self.assertEqual(self.daemon.instance(one)["host"], host["id"], "the warm one was started")
        self.assertEqual(world.answer(one), b"sample answers\n")
        world.assert_one_machine_each()
        world.empty()

    def machine_state(self, host_id):
        host = self.daemon.call("GET", f"/v1/hosts/{host_id}")
        return self.world.machine(host).state if host["machine_id"] else None

    def look_at_log(self, host):
        """The failure with its step, reason and output; the second run begins at that step."""
        steps = self.daemon.call("GET", f"/v1/hosts/{host['id']}/log?limit=1000")["items"]
        failed, = [s for s in steps if s["state"] == "failed"]
        self.assertEqual((failed["run"], failed["name"]), (1, "Fail once"))
        self.assertIn("the disk is on fire", failed["output"])
        self.assertIn("7", failed["reason"])
        again = [s for s in steps if s["run"] == 2 and s["name"] != "Connect to the machine"]
        self.assertEqual(again[0]["name"], "Fail once", again)
        told, = self.daemon.items("events", kind="host.prepare_failed")
        self.assertIn("Fail once", told["text"])


if __name__ == "__main__":
    cases.main(why_not())
