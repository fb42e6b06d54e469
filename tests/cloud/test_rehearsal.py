"""`berthd --check-config` before this cloud: what a pool that rents lacks is named, nothing is launched, nothing is written."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from tests.cloud import config
from tests.cloud.server import Server

BERTHD = os.environ.get("BERTHD", "build/debug/berthd")
POOL = {"provider": "ec2", "region": "eu-central-1", "image": {"owner": "136693071363", "name": "debian-12-amd64-*"},
        "machine_types": [{"type": "t3.micro", "price_per_hour": 0.01, "memory_bytes": 1 << 30, "cpus": 2}],
        "policy": {"max_hosts": 2}}


class Rehearsal(unittest.TestCase):
    def check(self, permissions=("*",), keys=True, **pool):
        """What berthd --check-config ends with: status, standard output, standard error."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        server = Server(config.build(seed=1, keys={"AKIACHECK": {"secret": "check", "permissions": list(permissions)}}))
        self.addCleanup(server.close)
        file, data = pathlib.Path(folder.name) / "berthd.yaml", pathlib.Path(folder.name) / "data"
        file.write_text(json.dumps({"data_dir": str(data), "pools": {"rent": {**POOL, "endpoint": server.url, **pool}}}))
        environment = {"PATH": os.environ["PATH"], "HOME": folder.name, "AWS_EC2_METADATA_DISABLED": "true"}
        if keys:
            environment.update(AWS_ACCESS_KEY_ID="AKIACHECK", AWS_SECRET_ACCESS_KEY="check")
        done = subprocess.run([BERTHD, "--check-config", "--config", file], env=environment, capture_output=True, text=True,
                              timeout=100, check=False)
        self.assertEqual(server.cloud.instances, {})
        self.assertFalse(data.exists())
        return done.returncode, done.stdout, done.stderr

    def test_all_is_well(self):
        status, out, err = self.check()
        self.assertEqual((status, out.endswith(" is good\n")), (0, True), err)
        self.assertNotIn("/pools/rent", err)

    def test_a_permission_lacks(self):
        status, out, err = self.check(["*", "!ec2:RunInstances"])
        self.assertEqual((status, out), (2, ""))
        self.assertIn("/pools/rent: ec2:RunInstances: not allowed: add it to the policy", err)

    def test_a_type_does_not_fit(self):
        status, _, err = self.check(machine_types=[{"type": "t4g.micro", "memory_bytes": 1 << 30, "cpus": 2}])
        self.assertEqual(status, 2)
        self.assertIn("t4g.micro cannot boot image", err)

    def test_what_cannot_be_told_is_no_fault(self):
        status, _, err = self.check(["*", "!ec2:TerminateInstances"])
        self.assertEqual(status, 0, err)
        self.assertIn("(not sure) ec2:TerminateInstances: not tried, since no machine of this pool is there yet", err)

    def test_warm_hosts_are_stopped_and_started(self):
        few = ["*", "!ec2:StopInstances", "!ec2:StartInstances"]
        self.assertNotIn("/pools/rent", self.check(few)[2])
        _, _, err = self.check(few, policy={"max_hosts": 2, "warm_hosts": 1})
        for action in ("StopInstances", "StartInstances"):
            self.assertIn(f"(not sure) ec2:{action}: not tried", err)

    def test_no_keys(self):
        status, _, err = self.check(keys=False)
        self.assertEqual(status, 2)
        self.assertIn("/pools/rent: cannot be checked: no AWS credentials: AWS_ACCESS_KEY_ID is not set", err)


if __name__ == "__main__":
    if not pathlib.Path(BERTHD).exists():
        print(f"skipped: {BERTHD} is not there")
        sys.exit(77)
    unittest.main()
