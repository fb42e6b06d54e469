"""Berth's provider `ec2` before this cloud: six hosts live and end, whatever the weather, and the ledger knows of six.

The C program is tests/unit/cloud/test_live.c: it repeats a launch as the engine does, with the same token while it may
have been done.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from tests.cloud import config
from tests.cloud.ledger import ledger
from tests.cloud.server import Server

PROGRAM = pathlib.Path(os.environ.get("BERTHD", "build/debug/berthd")).parent / "cloud_test_live"
HOSTS = 6
LIFE = {"pending_s": 0.3, "initializing_s": 0.1, "shutdown_s": 0.3, "visible_after_s": 0.2}
TYPES = {"t3.micro", "t3.small"}


class Provider(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def live(self, environment=None, skew_s=0, **settings):
        """A life against a cloud with these settings. Returns the ledger's machines."""
        server = Server(config.build(**{"seed": 1, "life": LIFE, **settings}))
        self.addCleanup(server.close)
        server.cloud.clock.skew_s = skew_s
        key, value = next(iter(server.cloud.config["keys"].items()))
        keys = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": value["secret"]} if environment is None else {}
        plain = {name: text for name, text in os.environ.items() if not name.startswith("AWS_") and name != "HOME"}
        done = subprocess.run([PROGRAM], env={**plain, "BERTH_TEST_CLOUD": server.url, "AWS_REGION": "eu-central-1",
                                              "AWS_ENDPOINT_URL": server.url,
                                              "AWS_EC2_METADATA_SERVICE_ENDPOINT": server.imds_url, **keys,
                                              **(environment or {})},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        with server.cloud.lock:
            server.cloud.tick()
            book = ledger(server.cloud)
        self.assertEqual((book["alive"], book["untagged"], book["volumes_left"]), ([], [], []))
        self.assertEqual(book["launched"], HOSTS, "a machine for each intent, no more")
        self.calls = book["calls"]
        return book["machines"]

    def test_calm(self):
        machines = self.live()
        self.assertEqual({m["type"] for m in machines}, {"t3.micro"})
        self.assertEqual({m["tags"]["Name"] for m in machines}, {f"web-{n}" for n in range(1, HOSTS + 1)})
        self.assertLessEqual(self.calls["RunInstances"] + self.calls["DescribeImages"], HOSTS + 1)

    def test_short_pages(self):
        self.live(pages={"kind": "short"})
        self.live(pages={"kind": "empty", "max": 2})

    def test_lost_answers(self):
        """What was done without an answer is found again by its token."""
        self.live(faults=[{"action": "RunInstances", "kind": "lose", "probability": 0.4},
                          {"action": "TerminateInstances", "kind": "lose", "probability": 0.4}])
        self.live(faults=[{"action": "*", "kind": "truncate", "probability": 0.2},
                          {"action": "*", "kind": "garbage", "probability": 0.2}])

    def test_failing(self):
        self.live(faults=[{"action": "*", "kind": "error", "probability": 0.2},
                          {"action": "*", "kind": "http", "probability": 0.1, "status": 502},
                          {"action": "*", "kind": "close", "probability": 0.1}])

    def test_throttled(self):
        self.live(throttle={"RunInstances": {"burst": 1, "per_s": 1}, "*": {"burst": 3, "per_s": 5}})

    def test_no_capacity(self):
        machines = self.live(capacity={"t3.micro/*": 2})
        self.assertEqual({m["type"] for m in machines}, TYPES)

    def test_spot_and_on_demand(self):
        machines = self.live({"BERTH_TEST_SPOT": "1", **admin()}, capacity={"spot:*": 1})
        self.assertEqual({m["market"] for m in machines}, {"spot", "on-demand"})

    def test_wrong_clock(self):
        """Ours is an hour behind, or before: requests are signed with the provider's."""
        for skew_s in (3600, -3600):
            self.live(skew_s=skew_s)

    def test_role_of_the_machine(self):
        """Keys with a session token, from the metadata service."""
        self.live({}, roles={"berth-host": {"permissions": ["*"], "trusted": ["*"], "max_s": 3600}},
                  metadata={"listen": None, "role": "berth-host"})


    def test_web_identity(self):
        token = pathlib.Path(self.folder.name) / "token"
        token.write_text("somebody's\n")
        role = {"permissions": ["*"], "trusted": [], "web_identity": "somebody's", "max_s": 3600}
        self.live({"AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/web", "AWS_WEB_IDENTITY_TOKEN_FILE": str(token)},
                  roles={"web": role})


def admin():
    return {"AWS_ACCESS_KEY_ID": config.ADMIN_KEY, "AWS_SECRET_ACCESS_KEY": config.ADMIN_SECRET}


if __name__ == "__main__":
    if not PROGRAM.exists():
        print(f"skipped: {PROGRAM} is not there")
        sys.exit(77)
    unittest.main()
