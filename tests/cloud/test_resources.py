"""Keys, groups, tags, and what the region offers."""

import base64
import unittest

from tests.cloud import peer
from tests.cloud.peer import by, tags


def rule(port, *ranges, protocol="tcp"):
    return {"IpProtocol": protocol, "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": r} for r in ranges]}


class Keys(peer.Case):
    def test_ed25519(self):
        self.serve()
        made = self.ec2.import_key_pair(KeyName="k", PublicKeyMaterial=peer.PUBLIC_KEY, TagSpecifications=tags("key-pair", a="b"))
        self.assertRegex(made["KeyFingerprint"], r"^[A-Za-z0-9+/]{43}=$")
        shown, = self.ec2.describe_key_pairs(KeyNames=["k"], IncludePublicKey=True)["KeyPairs"]
        self.assertEqual((shown["KeyType"], shown["KeyPairId"]), ("ed25519", made["KeyPairId"]))
        self.assertTrue(peer.PUBLIC_KEY.decode().startswith(shown["PublicKey"]))
        with self.refused("InvalidKeyPair.Duplicate", 400):
            self.ec2.import_key_pair(KeyName="k", PublicKeyMaterial=peer.PUBLIC_KEY)
        for wrong in (b"ssh-ed25519 AAAA", b"nothing", b"ssh-dss " + peer.PUBLIC_KEY.split()[1]):
            with self.refused("InvalidKey.Format", 400):
                self.ec2.import_key_pair(KeyName="l", PublicKeyMaterial=wrong)
        self.assertEqual(len(self.ec2.describe_key_pairs(Filters=by("tag:a", "b"))["KeyPairs"]), 1)
        self.ec2.delete_key_pair(KeyName="k")
        self.ec2.delete_key_pair(KeyName="k")
        with self.refused("InvalidKeyPair.NotFound", 400):
            self.ec2.describe_key_pairs(KeyNames=["k"])


class Groups(peer.Case):
    def test_rules(self):
        self.serve()
        one = self.ec2.create_security_group(GroupName="berth", Description="d",
                                             TagSpecifications=tags("security-group", cluster="c"))["GroupId"]
        with self.refused("InvalidGroup.Duplicate", 400):
            self.ec2.create_security_group(GroupName="berth", Description="d")
        add = self.ec2.authorize_security_group_ingress
        add(GroupId=one, IpPermissions=[rule(22, "10.0.0.0/8", "192.0.2.1/32"), rule(2376, "10.0.0.0/8")])
        add(GroupId=one, IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": one}]}])
        shown, = self.ec2.describe_security_groups(Filters=by("tag:cluster", "c"))["SecurityGroups"]
        self.assertEqual([(p.get("FromPort"), len(p["IpRanges"]), len(p["UserIdGroupPairs"])) for p in shown["IpPermissions"]],
                         [(22, 2, 0), (2376, 1, 0), (None, 0, 1)])
        self.assertEqual(shown["IpPermissionsEgress"][0]["IpProtocol"], "-1")
        with self.refused("InvalidPermission.Duplicate", 400):
            add(GroupId=one, IpPermissions=[rule(22, "192.0.2.1/32")])
        for code, wrong in (("InvalidParameterValue", rule(22, "10.0.0.1/8")), ("InvalidParameterValue", rule(70000, "10.0.0.0/8")),
                            ("InvalidPermission.Malformed", rule(22, "10.0.0.0/8", protocol="tpc")), ("MissingParameter", rule(22))):
            with self.refused(code, 400):
                add(GroupId=one, IpPermissions=[wrong])
        self.ec2.revoke_security_group_ingress(GroupId=one, IpPermissions=[rule(22, "192.0.2.1/32")])
        with self.refused("InvalidPermission.NotFound", 400):
            self.ec2.revoke_security_group_ingress(GroupId=one, IpPermissions=[rule(22, "192.0.2.1/32")])
        self.ec2.revoke_security_group_egress(GroupId=one, IpPermissions=[rule(-1, "0.0.0.0/0", protocol="-1")])

    def test_what_is_used_stays(self):
        self.serve()
        one = self.ec2.create_security_group(GroupName="berth", Description="d")["GroupId"]
        machine, = self.run_instances(SecurityGroupIds=[one])
        with self.refused("DependencyViolation", 400):
            self.ec2.delete_security_group(GroupId=one)
        self.ec2.terminate_instances(InstanceIds=[machine])
        self.advance(10)
        self.ec2.delete_security_group(GroupId=one)
        with self.refused("InvalidGroup.NotFound", 400):
            self.ec2.delete_security_group(GroupId=one)
        default, = self.ec2.describe_security_groups(GroupNames=["default"])["SecurityGroups"]
        with self.refused("CannotDelete", 400):
            self.ec2.delete_security_group(GroupId=default["GroupId"])


class Tags(peer.Case):
    def test_tags(self):
        self.serve()
        one, two = self.run_instances(MinCount=2, MaxCount=2, TagSpecifications=tags(a="1"))
        self.ec2.create_tags(Resources=[one, two], Tags=[{"Key": "a", "Value": "2"}, {"Key": "b", "Value": ""}])
        self.ec2.delete_tags(Resources=[two], Tags=[{"Key": "a", "Value": "1"}, {"Key": "b"}])
        found = self.ec2.describe_tags(Filters=by("resource-type", "instance"))["Tags"]
        self.assertEqual({(t["ResourceId"], t["Key"], t["Value"]) for t in found}, {(one, "a", "2"), (one, "b", ""), (two, "a", "2")})
        found = self.ec2.describe_tags(Filters=by("resource-id", two))["Tags"]
        self.assertEqual([t["Key"] for t in found], ["a"])
        with self.refused("InvalidInstanceID.NotFound", 400):
            self.ec2.create_tags(Resources=[one, "i-00000000000000009"], Tags=[{"Key": "c", "Value": "3"}])
        with self.refused("TagLimitExceeded", 400):
            self.ec2.create_tags(Resources=[one], Tags=[{"Key": f"k{n}", "Value": "v"} for n in range(49)])
        with self.refused("InvalidParameterValue", 400):
            self.ec2.create_tags(Resources=[one], Tags=[{"Key": "aws:x", "Value": "v"}])
        self.assertEqual({t["Key"] for t in self.one(one)["Tags"]}, {"a", "b"})


class Region(peer.Case):
    def test_images(self):
        """The newest of an owner and a name pattern, as Berth looks for it."""
        self.serve()
        found = self.ec2.describe_images(Owners=["136693071363"], Filters=by("name", "debian-12-amd64-*"))["Images"]
        self.assertEqual(max(found, key=lambda i: i["CreationDate"])["ImageId"], self.image())
        self.assertEqual({i["Architecture"] for i in found}, {"x86_64"})
        self.assertEqual(self.ec2.describe_images(Owners=["self"])["Images"], [])
        ubuntu = self.ec2.describe_images(Filters=by("name", "ubuntu/images/*noble-24.04-*") + by("architecture", "arm64"))
        self.assertEqual(len(ubuntu["Images"]), 1)
        self.assertEqual(ubuntu["Images"][0]["RootDeviceName"], "/dev/sda1")
        with self.refused("InvalidAMIID.NotFound", 400):
            self.ec2.describe_images(ImageIds=["ami-00000000000000000"])

    def test_zones_subnets_types(self):
        self.serve()
        zones = [z["ZoneName"] for z in self.ec2.describe_availability_zones()["AvailabilityZones"]]
        self.assertEqual(zones, ["eu-central-1a", "eu-central-1b", "eu-central-1c"])
        subnets = self.ec2.describe_subnets(Filters=by("availability-zone", zones[1]) + by("default-for-az", "true"))["Subnets"]
        self.assertEqual([s["AvailabilityZone"] for s in subnets], [zones[1]])
        with self.refused("InvalidSubnetID.NotFound", 400):
            self.ec2.describe_subnets(SubnetIds=["subnet-0"])
        kind, = self.ec2.describe_instance_types(InstanceTypes=["m6i.xlarge"])["InstanceTypes"]
        self.assertEqual((kind["VCpuInfo"]["DefaultVCpus"], kind["MemoryInfo"]["SizeInMiB"]), (4, 16384))
        with self.refused("InvalidInstanceType", 400):
            self.ec2.describe_instance_types(InstanceTypes=["m6i.xlarge", "x.y"])
        arm = self.ec2.describe_instance_types(Filters=by("processor-info.supported-architecture", "arm64"))["InstanceTypes"]
        self.assertEqual({t["InstanceType"][:3] for t in arm}, {"t4g"})
        page = self.ec2.describe_instance_types(MaxResults=5)
        self.assertEqual(len(page["InstanceTypes"]), 5)
        self.assertEqual(len(self.ec2.describe_instance_types(MaxResults=100, NextToken=page["NextToken"])["InstanceTypes"]),
                         len(self.cloud.catalog.types) - 5)

    def test_console(self):
        self.serve()
        one, = self.run_instances()
        output = self.ec2.get_console_output(InstanceId=one)["Output"]
        self.assertIn(f"{one} login:", output if "login" in output else base64.b64decode(output).decode())


if __name__ == "__main__":
    unittest.main()
