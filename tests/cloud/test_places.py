"""A pool that has machines stays where it is: another region, endpoint or account is refused while there are any; and a pool
that the configuration names no more is told of, and can be emptied.
"""

import os
import pathlib
import sys
import unittest

from tests.cloud import config
from tests.cloud.ledger import ledger
from tests.cloud.server import Server
from tests.real.daemon import Daemon
from tests.real.wait import wait_for

BERTHD = os.environ.get("BERTHD", "build/debug/berthd")
LIFE = {"pending_s": 0.1, "initializing_s": 0.1, "shutdown_s": 0.1, "stop_s": 0.1, "visible_after_s": 0.1}


class Places(unittest.TestCase):
    def setUp(self):
        self.server = Server(config.build(seed=1, life=LIFE))
        self.addCleanup(self.server.close)
        self.cloud = self.server.cloud
        self.daemon = Daemon([])
        self.addCleanup(self.daemon.close)
        plain = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
        self.daemon.environment = {**plain, "AWS_ACCESS_KEY_ID": config.ADMIN_KEY, "AWS_SECRET_ACCESS_KEY": config.ADMIN_SECRET}
        self.pools = self.daemon.config["pools"]
        self.pools["rent"] = {
            "provider": "ec2", "region": self.cloud.config["region"], "endpoint": self.server.url,
            "image": {"owner": "136693071363", "name": "debian-12-amd64-*"}, "security_group": {"create": True, "from": ["127.0.0.0/8"]},
            "machine_types": [{"type": "t3.micro", "price_per_hour": 0.01, "memory_bytes": 1 << 30, "cpus": 2}],
            "policy": {"min_hosts": 1, "max_hosts": 1}}
        self.daemon.start()
        wait_for(lambda: [h for h in self.daemon.items("hosts") if h["machine_id"]], self.daemon.log_tail)

    def alive(self):
        with self.cloud.lock:
            self.cloud.tick()
            return ledger(self.cloud)["alive"]

    def listings(self):
        with self.cloud.lock:
            return ledger(self.cloud)["calls"].get("DescribeInstances", 0)

    def reload(self, words):
        """The daemon says that when it is told to read its configuration again."""
        before = self.daemon.log_text().count(words)
        self.daemon.reload()
        wait_for(lambda: self.daemon.log_text().count(words) > before, self.daemon.log_tail)

    def start_fails(self, words):
        """It ends at once, and says why."""
        self.daemon.launch()
        wait_for(lambda: self.daemon._process.poll() is not None, self.daemon.log_tail)
        self.assertNotEqual(self.daemon._process.returncode, 0)
        self.daemon._process = None
        self.assertIn(words, self.daemon.log_tail())

    def wrongs(self):
        return [w["kind"] for w in self.daemon.call("GET", "/v1/status")["wrong"]]

    def test_another_region(self):
        """It is refused in each of the three ways, and nothing is lost; the empty pool may move."""
        words = ("/pools/rent/region: 1 machines are in eu-central-1 of", "set it back, then `berth pool shutdown rent`")
        there = self.alive()
        self.pools["rent"]["region"] = "eu-west-1"
        self.reload("the old configuration stays in force: " + words[0])
        checked = self.daemon.command("--check-config")
        self.assertEqual(checked.returncode, 2)
        self.assertIn(words[0], checked.stderr)
        self.assertIn(words[1], checked.stderr)
        self.daemon.stop()
        self.start_fails(words[1])
        self.pools["rent"].update(region="eu-central-1", endpoint="http://127.0.0.1:9/")
        self.start_fails("/pools/rent/endpoint: 1 machines are in eu-central-1 of")
        self.pools["rent"]["endpoint"] = self.server.url
        self.daemon.start()
        self.assertEqual(self.alive(), there)

        self.pools["rent"]["policy"]["min_hosts"] = 0
        self.daemon.reload()
        self.shut_down()
        self.pools["rent"]["region"] = "eu-west-1"
        self.reload("reloaded")

    def test_another_account(self):
        """Keys of another account give nothing back and prove nothing; the right ones do."""
        host, = self.daemon.items("hosts")
        asked = self.listings()
        wait_for(lambda: self.listings() > asked + 1, self.daemon.log_tail)  # they have told whose it is
        self.daemon.stop()
        self.cloud.account.number = "999999999999"
        self.daemon.start()
        self.daemon.call("POST", "/v1/pools/rent/shutdown", {"deadline_s": 0}, status=202)
        told = wait_for(lambda: self.daemon.items("events", kind="pool.listing_failed"), self.daemon.log_tail)[0]["text"]
        self.assertIn("the machines of pool rent are in account 123456789012, and the keys are of account 999999999999", told)
        self.assertEqual((len(self.alive()), self.daemon.call("GET", f"/v1/hosts/{host['id']}")["state"] != "removed"), (1, True))
        self.daemon.stop()
        self.cloud.account.number = "123456789012"
        self.daemon.start()
        wait_for(lambda: self.daemon.items("events", kind="pool.shutdown_done"), self.daemon.log_tail, 60)
        self.assertEqual(self.alive(), [])

    def test_a_pool_without_a_section(self):
        """It is told of everywhere; its machines are listed, none is added, and a person can give them back."""
        rent = self.pools.pop("rent")
        words = "pool rent has 1 rented machines and no section any more"
        self.reload(words)
        self.assertIn(words, self.daemon.command("--check-config").stderr)
        self.daemon.stop()
        self.daemon.start()
        self.assertEqual(self.wrongs().count("pool_left"), 1)
        checks = {c["check"]: c for c in self.daemon.call("GET", "/v1/doctor")["checks"]}
        self.assertEqual(checks["each pool with rented machines is in the configuration"]["detail"], "rent")
        self.assertEqual(self.daemon.call("GET", "/v1/pools/rent/orphans")["items"], [])
        self.shut_down()
        self.assertEqual(self.alive(), [])
        self.assertNotIn("pool_left", self.wrongs())
        self.pools["rent"] = {**rent, "region": "eu-west-1"}
        self.reload("reloaded")

    def shut_down(self):
        self.daemon.call("POST", "/v1/pools/rent/shutdown", {"deadline_s": 0}, status=202)
        done = wait_for(lambda: self.daemon.items("events", kind="pool.shutdown_done"), self.daemon.log_tail, 60)
        self.assertRegex(done[0]["text"], "^proof: the account lists 0 machines .*; deleted: security group sg-")


if __name__ == "__main__":
    if not pathlib.Path(BERTHD).exists():
        print(f"skipped: {BERTHD} is not there")
        sys.exit(77)
    unittest.main()
