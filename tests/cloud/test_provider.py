"""Berth's provider `ec2` before this cloud: six hosts live and end, whatever the weather, and the ledger knows of six.

The C program is tests/unit/cloud/test_live.c: it repeats a launch as the engine does, with the same token while it may
have been done.
"""

import json
import pathlib
import sys
import unittest

from tests.cloud.live import HOSTS, PROGRAM, TYPES, Live, admin

IMAGE = {"owner": "136693071363", "name": "debian-12-amd64-*"}


class Provider(Live):
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

    def test_security_group(self):
        """One for the pool, with its rules and tags, whatever is lost on the way."""
        pool = json.dumps({"image": IMAGE, "security_group": {"create": True, "from": ["127.0.0.0/8"], "first_port": 4000, "last_port": 4999}})
        for faults in ([], [{"action": "CreateSecurityGroup", "kind": "lose", "probability": 0.5},
                            {"action": "AuthorizeSecurityGroupIngress", "kind": "lose", "probability": 0.5}]):
            self.live({"BERTH_TEST_POOL": pool, **admin()}, faults=faults)
            ours = [g for g in self.cloud.groups.values() if "berth:cluster" in g["tags"]]
            self.assertEqual(len(ours), 1)
            self.assertEqual({(r["low"], r["high"], r["range"]) for r in ours[0]["ingress"]},
                             {(22, 22, "127.0.0.0/8"), (2376, 2376, "127.0.0.0/8"), (4000, 4999, "127.0.0.0/8")})
            self.assertEqual({tuple(g for g, _ in i.groups) for i in self.cloud.instances.values()}, {(ours[0]["id"],)})

    def test_what_was_made_is_deleted_in_the_end(self):
        """Security group and key pair go with the pool, whatever is lost on the way; another's stay."""
        def prepare(cloud):
            for name, tags in (("theirs", {}), ("another pool's", {"berth:cluster": "00c0ffee00c0ffee", "berth:pool": "db"})):
                cloud.keys[name] = {"id": cloud.new_id("key"), "name": name, "kind": "ed25519", "material": "", "fingerprint": "",
                                    "made": 0, "tags": tags}
            for name, tags in (("theirs", {}), ("another pool's", {"berth:cluster": "00c0ffee00c0ffee", "berth:pool": "db"})):
                cloud.new_group(name, name, cloud.catalog.vpc, tags)
        pool = json.dumps({"image": IMAGE, "security_group": {"create": True, "from": ["127.0.0.0/8"]}, "key_pair": {"create": True}})
        for faults in ([], [{"action": "DeleteSecurityGroup", "kind": "lose", "count": 3},
                            {"action": "ImportKeyPair", "kind": "lose", "count": 2},
                            {"action": "DeleteKeyPair", "kind": "lose", "count": 3},
                            {"action": "DescribeSecurityGroups", "kind": "http", "probability": 0.3, "status": 503}]):
            self.live({"BERTH_TEST_POOL": pool, "BERTH_TEST_FORGET": "1", **admin()}, faults=faults, prepare=prepare)
            self.assertEqual({g["name"] for g in self.cloud.groups.values()}, {"default", "theirs", "another pool's"})
            self.assertEqual(set(self.cloud.keys), {"theirs", "another pool's"})
            self.assertEqual({i.key_name for i in self.cloud.instances.values()}, {"berth-00c0ffee00c0ffee-web"})

    def test_launch_template(self):
        """What it says against our rules does not count; what it says beside them does."""
        def prepare(cloud):
            cloud.templates["lt-1"] = {"id": "lt-1", "name": "berth", "made": 0, "by": "", "tags": {}, "versions": [
                {"about": "", "made": 0, "data": {
                    "ImageId": "ami-0deb1200000000002", "InstanceType": "m6i.large", "DisableApiTermination": True,
                    "DisableApiStop": True, "InstanceInitiatedShutdownBehavior": "stop", "UserData": b"theirs",
                    "MetadataOptions": {"HttpTokens": "optional", "HttpPutResponseHopLimit": 9},
                    "CreditSpecification": {"CpuCredits": "standard"},
                    "TagSpecification": [{"ResourceType": "instance", "Tag": [{"Key": "team", "Value": "a"}]}]}}]}
        pool = json.dumps({"launch_template": {"name": "berth", "version": "1"}})
        machines = self.live({"BERTH_TEST_POOL": pool, **admin()}, prepare=prepare)
        self.assertEqual({(m["type"], m["tags"]["team"]) for m in machines}, {("t3.micro", "a")})
        for one in self.cloud.instances.values():
            self.assertEqual((one.image["id"], one.metadata["tokens"], one.metadata["hops"], one.protected, one.user_data),
                             ("ami-0deb1200000000002", "required", 1, False, b"#cloud-config\n"))

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


if __name__ == "__main__":
    if not PROGRAM.exists():
        print(f"skipped: {PROGRAM} is not there")
        sys.exit(77)
    unittest.main()
