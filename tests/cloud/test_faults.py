"""Throttling, faults by script and by seed, and the control endpoint."""

import email.utils
import json
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request

from tests.cloud import peer
from tests.cloud.peer import botocore

LOST = (botocore.exceptions.ConnectionClosedError, botocore.exceptions.EndpointConnectionError)


class Control(peer.Case):
    def control(self, method, path, value=None):
        """(status, object)"""
        request = urllib.request.Request(f"{self.server.url}/control/{path}", json.dumps(value).encode() if value else None,
                                         method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=10) as answer:
                text = answer.read().decode()
                return answer.status, json.loads(text) if answer.headers["Content-Type"] == "application/json" else text
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()


class Throttling(Control):
    def test_buckets(self):
        """A bucket for each action, filled again by time; another for the machines asked for."""
        self.serve(throttle={"RunInstances/machines": {"burst": 10, "per_s": 1}, "RunInstances": {"burst": 3, "per_s": 2}},
                   limits={"vcpus": None})
        for _ in range(3):
            self.run_instances()
        with self.refused("RequestLimitExceeded", 503):
            self.run_instances()
        self.listed()
        self.advance(1)
        self.run_instances(MinCount=5, MaxCount=5)
        with self.refused("RequestLimitExceeded", 503):
            self.run_instances(MinCount=5, MaxCount=5)
        self.assertEqual(len(self.listed()[0]), 8)


class Faults(Control):
    def fault(self, **rule):
        self.assertEqual(self.control("POST", "faults", rule)[0], 200)

    def test_error_for_a_while(self):
        self.serve()
        self.fault(action="Describe*", kind="error", for_s=60)
        for _ in range(3):
            with self.refused("InternalError", 500):
                self.ec2.describe_instances()
        self.run_instances()
        self.advance(60)
        self.ec2.describe_instances()

    def test_count_after_code(self):
        self.serve()
        self.fault(action="RunInstances", kind="error", code="Unavailable", after=1, count=1)
        self.run_instances()
        with self.refused("Unavailable", 503):
            self.run_instances()
        self.run_instances()
        self.assertEqual(self.control("GET", "faults")[1]["rules"][0]["struck"], 1)

    def test_lost_before_and_after(self):
        """`close` launches nothing; after `lose` the machine is there, and the token finds it."""
        self.serve()
        self.fault(action="RunInstances", kind="close", count=1)
        with self.assertRaises(LOST):
            self.run_instances(ClientToken="a")
        self.assertEqual(self.listed()[0], [])
        self.fault(action="RunInstances", kind="lose", count=1)
        with self.assertRaises(LOST):
            self.run_instances(ClientToken="a")
        self.assertEqual(self.run_instances(ClientToken="a"), self.listed()[0])

    def test_bad_replies(self):
        self.serve()
        for kind in ("truncate", "garbage", "http"):
            self.fault(kind=kind, count=1)
            with self.assertRaises(Exception, msg=kind):
                self.ec2.describe_instances()
        self.ec2.describe_instances()

    def test_late(self):
        self.serve()
        for kind in ("delay", "slow"):
            self.fault(kind=kind, seconds=0.2, count=1)
            begun = time.monotonic()
            self.ec2.describe_instances()
            self.assertGreaterEqual(time.monotonic() - begun, 0.2)

    def test_yes_and_nothing(self):
        """A termination that is forgotten, and a launch whose machine dies while pending."""
        self.serve()
        one, = self.run_instances()
        self.fault(action="TerminateInstances", kind="forget", count=1)
        answer = self.ec2.terminate_instances(InstanceIds=[one])["TerminatingInstances"][0]
        self.assertEqual(answer["CurrentState"]["Name"], "shutting-down")
        self.assertEqual(self.state(one), "pending")
        self.fault(action="RunInstances", kind="stillborn", count=1)
        two, = self.run_instances()
        self.advance(2)
        self.assertEqual((self.state(one), self.state(two)), ("running", "terminated"))
        self.assertEqual(self.one(two)["StateReason"]["Code"], "Server.InternalError")

    def test_date_header(self):
        self.serve()
        self.fault(kind="date", seconds=-7200, count=1)
        date = self.ec2.describe_instances()["ResponseMetadata"]["HTTPHeaders"]["date"]
        self.assertAlmostEqual(email.utils.parsedate_to_datetime(date).timestamp() - time.time(), -7200, delta=60)

    def test_the_same_seed_strikes_the_same_calls(self):
        def struck():
            self.serve(faults=[{"kind": "error", "probability": 0.3}])
            for _ in range(30):
                try:
                    self.ec2.describe_tags()
                except botocore.exceptions.ClientError:
                    pass
            return [c["status"] for c in self.control("GET", "calls")[1]["calls"]]
        first = struck()
        self.assertEqual(struck(), first)
        self.assertEqual(set(first), {200, 500})

    def test_control(self):
        self.serve()
        one, = self.run_instances(InstanceMarketOptions={"MarketType": "spot"})
        self.control("POST", "clock", {"advance_s": 2})
        self.assertEqual(self.control("POST", f"instances/{one}", {"do": "interrupt", "notice_s": 5})[0], 200)
        self.control("POST", "clock", {"advance_s": 8})
        book = self.control("GET", "ledger")[1]
        self.assertEqual((book["launched"], book["alive"], book["calls"]["RunInstances"]), (1, [], 1))
        self.assertIn("0 alive", self.control("GET", "ledger?format=text")[1])
        self.control("POST", "config", {"capacity": {"*": 0}})
        with self.refused("InsufficientInstanceCapacity"):
            self.run_instances()
        self.control("POST", "keys", {peer.settings.ADMIN_KEY: None})
        with self.refused("AuthFailure", 401):
            self.ec2.describe_instances()
        for wrong in (("faults", {"kind": "eror"}), ("faults", {"kind": "error", "acton": "x"}), ("config", {"region": "x"}),
                      ("config", {"life": {"pendng_s": 1}}), ("clock", {"advance_s": -1}), ("instances/i-1", {"do": "end"})):
            self.assertEqual(self.control("POST", *wrong)[0], 400, wrong)
        self.assertEqual(self.control("GET", "nothing")[0], 404)


class Program(unittest.TestCase):
    def test_serve(self):
        """Says where it listens, serves, and ends at SIGTERM with the table of what machines cost."""
        program = subprocess.Popen([sys.executable, "-m", "tests.cloud", "serve", "--listen", "127.0.0.1:0"], text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        url = program.stdout.readline().split()[4].rstrip(",")
        peer.client(url).run_instances(ImageId="ami-0deb1200000000002", InstanceType="t3.nano", MinCount=1, MaxCount=1)
        program.terminate()
        said = program.communicate(timeout=30)[1]
        self.assertEqual(program.returncode, 0)
        self.assertIn("1 launched, 1 alive, 1 launched without tags", said)

    def test_a_wrong_setting(self):
        program = subprocess.run([sys.executable, "-m", "tests.cloud", "serve", "--config", "/dev/stdin"], text=True,
                                 input='{"lief": {}}', capture_output=True, check=False)
        self.assertEqual(program.returncode, 2)
        self.assertIn("there is no setting lief; there are account", program.stderr)


if __name__ == "__main__":
    unittest.main()
