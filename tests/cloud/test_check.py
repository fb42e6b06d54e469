"""Berth's check of a pool before this cloud: what the keys may not do, and what does not go together, is named, and
nothing is launched.

The C program is tests/unit/cloud/test_check.c.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

from tests.cloud import config
from tests.cloud.server import Server

PROGRAM = pathlib.Path(os.environ.get("BERTHD", "build/debug/berthd")).parent / "cloud_test_check"
POOL = {"image": {"owner": "136693071363", "name": "debian-12-amd64-*"}, "machine_types": [{"type": "t3.micro"}]}
RUNTIME = ("ec2:RunInstances", "ec2:CreateTags", "ec2:TerminateInstances", "ec2:DescribeInstances", "ec2:DescribeImages",
           "ec2:GetConsoleOutput")
BY_TAG = ("ec2:TerminateInstances", "ec2:GetConsoleOutput")


class Check(unittest.TestCase):
    def check(self, pool=None, permissions=("*",), environment=None, **settings):
        """{verdict: {action: text}}, and the fault."""
        keys = {"AKIACHECK": {"secret": "check", "permissions": list(permissions)}}
        server = Server(config.build(**{"seed": 1, "keys": keys, **settings}))
        self.addCleanup(server.close)
        own = {"AWS_ACCESS_KEY_ID": "AKIACHECK", "AWS_SECRET_ACCESS_KEY": "check"} if environment is None else environment
        done = subprocess.run([PROGRAM], env={"PATH": os.environ["PATH"], "AWS_REGION": "eu-central-1", "AWS_ENDPOINT_URL": server.url,
                                              "AWS_EC2_METADATA_DISABLED": "true", **own,
                                              "BERTH_TEST_CHECK": json.dumps({**POOL, **(pool or {})})},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=100, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        found = {"good": {}, "unknown": {}, "bad": {}}
        for verdict, action, text in re.findall(r"^finding (\w+) (\S+) (.*)$", done.stdout, re.MULTILINE):
            found[verdict].setdefault(action, "")
            found[verdict][action] += text + "\n"
        self.assertEqual(server.cloud.instances, {})
        return found, re.search(r"^fault (.*)$", done.stdout, re.MULTILINE)[1]

    def test_all_is_well(self):
        subnets = ["subnet-0be4700000000000a", "subnet-0be4700000000001a"]
        found, fault = self.check({"spot": True, "subnets": subnets, "instance_profile": "berth-host",
                                   "root_volume": {"size_bytes": 20 << 30, "type": "gp3"},
                                   "machine_types": [{"type": "t3.micro", "memory_bytes": 1 << 30}, {"type": "t3.small"}]},
                                  pages={"kind": "empty", "max": 2})
        self.assertEqual((found["bad"], found["unknown"], fault), ({}, {}, ""))
        self.assertLessEqual({"ec2:RunInstances", "ec2:TerminateInstances", "ec2:DescribeSubnets"}, set(found["good"]))

    def test_each_permission_that_lacks_is_named(self):
        for lacking in RUNTIME:
            with self.subTest(lacking):
                found, fault = self.check(permissions=["*", f"!{lacking}"])
                self.assertEqual(fault, "")
                where = "unknown" if lacking in BY_TAG else "bad"
                self.assertIn(lacking, found[where])
                self.assertIn("allow" if where == "unknown" else "docs/IAM.md", found[where][lacking])

    def test_all_that_lack_are_named(self):
        found, _ = self.check({"spot": True, "instance_profile": "berth-host"}, permissions=["ec2:RunInstances", "ec2:DescribeImages"])
        self.assertLessEqual({"ec2:CreateTags", "iam:PassRole", "ec2:DescribeInstances", "ec2:DescribeSpotInstanceRequests"},
                             set(found["bad"]))
        self.assertIn("ec2:TerminateInstances", found["unknown"])

    def test_the_check_alone_may_lack_permissions(self):
        found, _ = self.check(permissions=RUNTIME)
        self.assertEqual(found["bad"], {})
        self.assertLessEqual({"ec2:DescribeInstanceTypes", "ec2:DescribeInstanceTypeOfferings"}, set(found["unknown"]))

    def test_a_group_and_a_template(self):
        pool = {"security_group": {"create": True, "from": ["127.0.0.0/8"]}}
        found, fault = self.check(pool)
        self.assertEqual((found["bad"], found["unknown"], fault), ({}, {}, ""))
        found, _ = self.check(pool, permissions=["*", "!ec2:CreateSecurityGroup", "!ec2:RevokeSecurityGroupIngress"])
        self.assertIn("ec2:CreateSecurityGroup", found["bad"])
        self.assertIn("no group of this pool is there yet", found["unknown"]["ec2:RevokeSecurityGroupIngress"])
        found, fault = self.check({"key_pair": {"create": True}})
        self.assertEqual((found["bad"], found["unknown"], fault), ({}, {}, ""))
        found, _ = self.check({"key_pair": {"create": True}}, permissions=["*", "!ec2:ImportKeyPair", "!ec2:DeleteKeyPair"])
        self.assertIn("ec2:ImportKeyPair", found["bad"])
        self.assertIn("no key pair of this pool is there yet", found["unknown"]["ec2:DeleteKeyPair"])
        found, _ = self.check({"launch_template": {"name": "mine"}})
        self.assertIn("InvalidLaunchTemplateName.NotFoundException", found["bad"]["launch_template"])

    def test_what_does_not_go_together_is_named(self):
        cases = [
            ({"image": {"id": "ami-0ffffffffffffffff"}}, "image", "InvalidAMIID.NotFound"),
            ({"image": {"owner": "self", "name": "mine"}}, "image", "self has no image that is called mine"),
            ({"machine_types": [{"type": "t4g.micro"}]}, "machine_types", "t4g.micro cannot boot image ami-0deb1200000000002"),
            ({"machine_types": [{"type": "t9.micro"}]}, "machine_types", "t9.micro: there is no such type"),
            ({"machine_types": [{"type": "x1.rare"}], "subnets": ["subnet-0be4700000000000a"]}, "machine_types",
             "x1.rare is offered in no zone of the subnets"),
            ({"subnets": ["subnet-0fff"]}, "subnets", "InvalidSubnetID.NotFound"),
            ({"security_groups": ["sg-0fff"]}, "security_groups", "InvalidGroup.NotFound"),
            ({"key_name": "mine"}, "key_name", "InvalidKeyPair.NotFound"),
        ]
        rare = {"x1.rare": {"vcpus": 2, "mib": 1024, "usd": 0.1, "arch": "x86_64", "zones": ["eu-central-1c"]}}
        for pool, action, words in cases:
            with self.subTest(words):
                found, fault = self.check(pool, types=rare)
                self.assertEqual(fault, "")
                self.assertIn(words, found["bad"].get(action, str(found)))

    def test_without_keys_it_says_where_it_looked(self):
        found, fault = self.check(environment={"HOME": "/nowhere"})
        self.assertEqual(found, {"good": {}, "unknown": {}, "bad": {}})
        for words in ("AWS_ACCESS_KEY_ID", "/nowhere/.aws/credentials", "/nowhere/.aws/config"):
            self.assertIn(words, fault)

    def test_wrong_keys(self):
        _, fault = self.check(environment={"AWS_ACCESS_KEY_ID": "AKIACHECK", "AWS_SECRET_ACCESS_KEY": "wrong"})
        self.assertIn("AuthFailure", fault)


if __name__ == "__main__":
    if not PROGRAM.exists():
        print(f"skipped: {PROGRAM} is not there")
        sys.exit(77)
    unittest.main()
