"""Each request that the provider `ec2` sends is what AWS's SDK for Python would send for the same parameters, held against
the SDK's own description of EC2; and what it encodes and signs is what the SDK signs.

The C programs are tests/unit/cloud/test_live.c, test_check.c and test_sign.c.
"""

import collections
import datetime
import json
import random
import subprocess
import sys
import time
import unittest
from urllib.parse import parse_qsl

from tests.cloud import peer
from tests.cloud.live import PROGRAM, Live, admin
from tests.cloud.server import Server
from tests.cloud import config

import botocore.auth
import botocore.awsrequest
import botocore.credentials

SIGNER = PROGRAM.parent / "cloud_test_sign"
CHECKER = PROGRAM.parent / "cloud_test_check"
TYPE = "application/x-www-form-urlencoded; charset=utf-8"
SUBNETS = ["subnet-0be4700000000000a", "subnet-0be4700000000001a"]
LAUNCH = {"image": {"owner": "136693071363", "name": "debian-12-amd64-*"}, "subnets": SUBNETS,
          "root_volume": {"size_bytes": 20 << 30, "type": "gp3"}, "instance_profile": "berth-host", "spot": True,
          "tags": {"team": "größe & co", "cost centre": "4711", "empty": ""}}


def names(forms, action):
    """The parameters of all forms of an action, with their numbers left out."""
    return {".".join(p for p in name.split(".") if not p.isdigit()) for form in forms if ("Action", action) in form
            for name, _ in form}


class Requests(Live):
    def hold(self, forms):
        """How many there are of each action."""
        count = collections.Counter()
        for form in forms:
            with self.subTest(dict(form)["Action"]):
                count[peer.hold_form(form)] += 1
        return count

    def test_a_whole_life(self):
        machines = self.live({"BERTH_TEST_EACH": "1", "BERTH_TEST_POOL": json.dumps(LAUNCH), **admin()}, capacity={"spot:*": 1})
        self.assertEqual({m["market"] for m in machines}, {"spot", "on-demand"})
        count = self.hold(self.cloud.forms)
        self.assertLessEqual({"DescribeImages", "RunInstances", "DescribeInstances", "DescribeSpotInstanceRequests",
                              "DescribeSpotPriceHistory", "GetConsoleOutput", "StopInstances", "StartInstances",
                              "TerminateInstances"}, set(count))
        self.assertLessEqual({
            "ClientToken", "ImageId", "InstanceType", "MinCount", "MaxCount", "SubnetId", "IamInstanceProfile.Name", "UserData",
            "InstanceInitiatedShutdownBehavior", "MetadataOptions.HttpTokens", "BlockDeviceMapping.Ebs.Encrypted",
            "BlockDeviceMapping.Ebs.VolumeSize", "BlockDeviceMapping.Ebs.VolumeType", "InstanceMarketOptions.MarketType",
            "InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior", "TagSpecification.ResourceType",
            "TagSpecification.Tag.Value"}, names(self.cloud.forms, "RunInstances"))
        # Each machine ends by its own call of the port, and those go together.
        self.assertLess(count["TerminateInstances"], len(machines))

    def test_what_is_made_for_a_pool(self):
        """A security group and a key pair: made, compared, and deleted in the end."""
        pool = {"image": LAUNCH["image"], "key_pair": {"create": True}, "security_group": {"create": True, "from": ["10.0.0.0/8", "fd00::/8"]}}
        self.live({"BERTH_TEST_FORGET": "1", "BERTH_TEST_POOL": json.dumps(pool), **admin()})
        count = self.hold(self.cloud.forms)
        self.assertLessEqual({"CreateSecurityGroup", "AuthorizeSecurityGroupIngress", "DeleteSecurityGroup", "DescribeKeyPairs",
                              "ImportKeyPair", "DeleteKeyPair"}, set(count))
        self.assertLessEqual({"KeyName", "PublicKeyMaterial", "TagSpecification.Tag.Value"}, names(self.cloud.forms, "ImportKeyPair"))

    def test_pages_and_tokens(self):
        """What a page is asked with; and a machine that is looked for by its token."""
        self.live(pages={"kind": "empty", "max": 2}, faults=[{"action": "RunInstances", "kind": "lose", "probability": 0.4}])
        self.hold(self.cloud.forms)
        self.assertIn("NextToken", names(self.cloud.forms, "DescribeInstances"))

    def test_a_check(self):
        server = Server(config.build(seed=1))
        self.addCleanup(server.close)
        pool = {**LAUNCH, "machine_types": [{"type": "t3.micro"}, {"type": "t3.small"}], "key_name": "mine"}
        done = subprocess.run([CHECKER], env={"AWS_REGION": "eu-central-1", "AWS_ENDPOINT_URL": server.url, **admin(),
                                              "BERTH_TEST_CHECK": json.dumps(pool)},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=100, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        count = self.hold(server.cloud.forms)
        self.assertLessEqual({"DescribeInstanceTypes", "DescribeSubnets", "DescribeKeyPairs", "RunInstances"}, set(count))
        self.assertIn("DryRun", names(server.cloud.forms, "RunInstances"))

    def test_a_web_identity(self):
        role = {"permissions": ["*"], "trusted": [], "web_identity": "somebody's", "max_s": 3600}
        token = f"{self.folder.name}/token"
        with open(token, "w", encoding="ascii") as out:
            out.write("somebody's\n")
        self.live({"AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/web", "AWS_WEB_IDENTITY_TOKEN_FILE": token}, roles={"web": role})
        self.assertEqual(self.hold(self.cloud.forms)["AssumeRoleWithWebIdentity"], 1)

    def test_a_notice_reaches_the_listing(self):
        """A spot machine that is about to be taken back is listed with a notice before it ends."""
        def interrupt(cloud):
            ends = time.monotonic() + 60
            while time.monotonic() < ends:
                with cloud.lock:
                    spot = [i for i in cloud.instances.values() if i.spot_request and i.state == "running"]
                    if len(spot) == 6:
                        cloud.interrupt(spot[3], 120)
                        return
                time.sleep(0.05)
        machines = self.live({"BERTH_TEST_SPOT": "1", "BERTH_TEST_NOTICE": "1", **admin()}, watch=interrupt)
        self.assertEqual({m["market"] for m in machines}, {"spot"})

    def test_the_check_of_requests_can_fail(self):
        good = [("Action", "TerminateInstances"), ("Version", "2016-11-15"), ("InstanceId.1", "i-1")]
        self.assertEqual(peer.hold_form(good), "TerminateInstances")
        for bad in ([("InstanceIds.1", "i-1")], [("InstanceId.2", "i-1")], [], [("InstanceId", "i-1")],
                    [("InstanceId.1", "i-1"), ("DryRun", "yes")], [("InstanceId.1", "i-1"), ("InstanceId.1", "i-1")]):
            with self.subTest(bad), self.assertRaises(AssertionError):
                peer.hold_form(good[:2] + bad)
        with self.assertRaises(AssertionError):
            peer.hold_form([("Action", "RunInstances"), ("Version", "2016-11-15"), ("MinCount", "1"), ("MaxCount", "1"),
                            ("InstanceInitiatedShutdownBehavior", "explode")])


# --- signatures ---

ALPHABETS = ["abcXYZ019", "-_.~", " +&=%?/:;,@!$'()*[]#\"<>\\|^`{}", "\t\n\r\x7f\x01", "äß€é", "日本語漢字", "🙂𝔘"]


def some_text(dice, least, most):
    alphabet = "".join(dice.sample(ALPHABETS, dice.randint(1, len(ALPHABETS))))
    return "".join(dice.choice(alphabet) for _ in range(dice.randint(least, most)))


def some_request(dice):
    asked = {
        "at": dice.randrange(0, 4102444800), "host": dice.choice(["ec2.eu-north-1.amazonaws.com", "127.0.0.1:4566", "a-b.example"]),
        "region": dice.choice(["eu-north-1", "us-east-1", "cn-north-1", "us-gov-west-1"]), "service": dice.choice(["ec2", "sts"]),
        "id": "AKIA" + "".join(dice.choices("ABCDEFGHIJ234567", k=16)), "secret": "".join(dice.choices("abcXYZ09/+=", k=40)),
        "token": dice.choice([None, "".join(dice.choices("abcXYZ09/+=", k=dice.randint(1, 900)))])}
    asked["pairs"] = [(f"{dice.choice(['Filter', 'Tag', 'X'])}.{n}.Value", some_text(dice, 0, dice.choice([3, 60, 900])))
                      for n in range(dice.randint(0, 12))]
    return asked


def line_of(asked):
    def field(text):
        return "-" if text is None else text.encode().hex()
    told = [field(asked[n]) for n in ("host", "region", "service", "id", "secret", "token")]
    told += [field(part) for pair in asked["pairs"] for part in pair]
    return " ".join([str(asked["at"] * 1000), *told]) + "\n"


def theirs(asked, body):
    """(date, authorization) by the SDK."""
    keys = botocore.credentials.Credentials(asked["id"], asked["secret"], asked["token"])
    auth = botocore.auth.SigV4Auth(keys, asked["service"], asked["region"])
    request = botocore.awsrequest.AWSRequest("POST", f"https://{asked['host']}/", headers={"Content-Type": TYPE}, data=body.encode())
    date = datetime.datetime.fromtimestamp(asked["at"], datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    request.context["timestamp"] = date
    auth._modify_request_before_signing(request)
    text = auth.string_to_sign(request, auth.canonical_request(request))
    auth._inject_signature_to_request(request, auth.signature(text, request))
    return date, request.headers["Authorization"]


class Signatures(unittest.TestCase):
    def test_a_thousand_requests(self):
        dice = random.Random(20260101)
        asked = [some_request(dice) for _ in range(1000)]
        done = subprocess.run([SIGNER, "--stdin"], input="".join(map(line_of, asked)), stdout=subprocess.PIPE, text=True,
                              timeout=300, check=True)
        lines = done.stdout.split("\n")[:-1]
        self.assertEqual(len(lines), len(asked))
        for one, line in zip(asked, lines):
            date, authorization, body = line.split("\t")
            self.assertEqual(parse_qsl(body, keep_blank_values=True, strict_parsing=True)[2:], one["pairs"])
            self.assertEqual((date, authorization), theirs(one, body), one)
        self.assertGreater(sum(1 for one in asked if one["token"]), 300)
        self.assertGreater(sum(1 for one in asked for _, v in one["pairs"] if v == ""), 10)


if __name__ == "__main__":
    if not PROGRAM.exists():
        print(f"skipped: {PROGRAM} is not there")
        sys.exit(77)
    unittest.main()
