"""RunInstances as botocore asks for it: what it takes, what it refuses, and what a token means."""

import base64
import unittest

from tests.cloud import peer
from tests.cloud.peer import tags


class Launch(peer.Case):
    def test_everything_in_one_call(self):
        """What is asked for at launch is what DescribeInstances shows, tags from the first moment on."""
        self.serve()
        self.ec2.import_key_pair(KeyName="k", PublicKeyMaterial=peer.PUBLIC_KEY)
        group = self.ec2.create_security_group(GroupName="g", Description="d")["GroupId"]
        subnet = self.ec2.describe_subnets()["Subnets"][1]
        one, = self.run_instances(
            InstanceType="m6i.large", KeyName="k", SecurityGroupIds=[group], SubnetId=subnet["SubnetId"],
            UserData="#cloud-config\n", IamInstanceProfile={"Name": "berth-host"}, ClientToken="t-1",
            InstanceInitiatedShutdownBehavior="terminate", TagSpecifications=tags(cluster="c1", Name="n") + tags("volume", a="b"),
            MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
            InstanceMarketOptions={"MarketType": "spot", "SpotOptions": {"SpotInstanceType": "one-time"}},
            BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 20, "VolumeType": "gp3", "Encrypted": True}}])
        shown = self.one(one)
        self.assertEqual(shown["State"], {"Code": 0, "Name": "pending"})
        self.assertEqual((shown["InstanceType"], shown["KeyName"], shown["ClientToken"]), ("m6i.large", "k", "t-1"))
        self.assertEqual(shown["Placement"]["AvailabilityZone"], subnet["AvailabilityZone"])
        self.assertEqual(shown["SecurityGroups"], [{"GroupId": group, "GroupName": "g"}])
        self.assertEqual({t["Key"]: t["Value"] for t in shown["Tags"]}, {"cluster": "c1", "Name": "n"})
        self.assertEqual(shown["MetadataOptions"]["HttpTokens"], "required")
        self.assertEqual(shown["InstanceLifecycle"], "spot")
        self.assertTrue(shown["IamInstanceProfile"]["Arn"].endswith(":instance-profile/berth-host"))
        inside = self.cloud.instances[one]
        self.assertEqual((inside.user_data, inside.on_shutdown), (b"#cloud-config\n", "terminate"))
        self.assertEqual([(v.gib, v.kind, v.encrypted, v.delete) for v in inside.volumes], [(20, "gp3", True, True)])

    def test_count(self):
        self.serve(capacity={"t3.micro/*": 3})
        self.assertEqual(len(self.run_instances(MinCount=2, MaxCount=5)), 3)
        with self.refused("InsufficientInstanceCapacity", 500):
            self.run_instances()

    def test_token_gives_the_same_machine(self):
        self.serve()
        first = self.run_instances(ClientToken="a", TagSpecifications=tags(x="y"))
        self.assertEqual(self.run_instances(ClientToken="a", TagSpecifications=tags(x="y")), first)
        self.assertEqual(self.listed()[0], first)
        with self.refused("IdempotentParameterMismatch", 400):
            self.run_instances(ClientToken="a", InstanceType="t3.small")
        self.ec2.terminate_instances(InstanceIds=first)
        self.assertEqual(self.run_instances(ClientToken="a", TagSpecifications=tags(x="y")), first)
        self.advance(10)
        with self.refused("IdempotentInstanceTerminated", 400):
            self.run_instances(ClientToken="a", TagSpecifications=tags(x="y"))

    def test_token_ends_after_a_day(self):
        """Then it launches a second machine: nobody may count on it for longer."""
        self.serve()
        first = self.run_instances(ClientToken="a")
        self.advance(86401)
        self.assertNotEqual(self.run_instances(ClientToken="a"), first)

    def test_token_of_another_key_is_another(self):
        self.serve(keys={peer.settings.ADMIN_KEY: {"secret": peer.settings.ADMIN_SECRET}, "AKIAOTHER": {"secret": "s"}})
        first = self.run_instances(ClientToken="a")
        self.ec2 = self.client(key="AKIAOTHER", secret="s")
        self.assertNotEqual(self.run_instances(ClientToken="a"), first)

    def test_no_capacity_keeps_the_token(self):
        """As EC2 does: the fallback to another type takes another token."""
        self.serve(capacity={"t3.micro/*": 0})
        with self.refused("InsufficientInstanceCapacity", 500):
            self.run_instances(ClientToken="a")
        with self.refused("IdempotentParameterMismatch"):
            self.run_instances(ClientToken="a", InstanceType="t3.small")
        self.cloud.config["capacity"] = {}
        self.assertEqual(len(self.run_instances(ClientToken="a")), 1)

    def test_capacity_by_zone_and_market(self):
        self.serve(capacity={"t3.micro/eu-central-1a": 0, "spot:t3.small/*": 1})
        zones = {s["AvailabilityZone"]: s["SubnetId"] for s in self.ec2.describe_subnets()["Subnets"]}
        with self.refused("InsufficientInstanceCapacity", 500) as caught:
            self.run_instances(SubnetId=zones["eu-central-1a"])
        self.assertIn("choosing eu-central-1b", str(caught.exception))
        self.run_instances(SubnetId=zones["eu-central-1b"])
        self.assertEqual(self.one(self.run_instances()[0])["Placement"]["AvailabilityZone"], "eu-central-1b")
        self.run_instances(InstanceType="t3.small", InstanceMarketOptions={"MarketType": "spot"})
        with self.refused("InsufficientInstanceCapacity"):
            self.run_instances(InstanceType="t3.small", InstanceMarketOptions={"MarketType": "spot"})
        self.run_instances(InstanceType="t3.small")

    def test_limits(self):
        self.serve(limits={"vcpus": 4, "spot_vcpus": 2, "instances": 4})
        self.run_instances(MinCount=2, MaxCount=2)
        with self.refused("VcpuLimitExceeded", 400):
            self.run_instances()
        self.run_instances(InstanceMarketOptions={"MarketType": "spot"})
        with self.refused("MaxSpotInstanceCountExceeded", 400):
            self.run_instances(InstanceMarketOptions={"MarketType": "spot"})
        self.cloud.config["limits"]["instances"] = 3
        with self.refused("InstanceLimitExceeded", 400):
            self.run_instances()

    def test_what_is_refused(self):
        self.serve()
        for code, asked in (
                ("InvalidAMIID.NotFound", {"ImageId": "ami-00000000000000000"}),
                ("InvalidAMIID.Malformed", {"ImageId": "debian"}),
                ("InvalidParameterValue", {"InstanceType": "t3.enormous"}),
                ("InvalidParameterValue", {"InstanceType": "t4g.micro"}),
                ("InvalidKeyPair.NotFound", {"KeyName": "none"}),
                ("InvalidGroup.NotFound", {"SecurityGroupIds": ["sg-00000000000000000"]}),
                ("InvalidSubnetID.NotFound", {"SubnetId": "subnet-0"}),
                ("InvalidParameterValue", {"IamInstanceProfile": {"Name": "nobody"}}),
                ("InvalidParameterValue", {"UserData": "x" * 16385}),
                ("InvalidParameterValue", {"MinCount": 2, "MaxCount": 1}),
                ("InvalidParameterValue", {"TagSpecifications": tags(**{"aws:x": "y"})}),
                ("InvalidParameterValue", {"TagSpecifications": tags("image", x="y")}),
                ("InvalidParameterValue", {"MetadataOptions": {"HttpPutResponseHopLimit": 65}}),
                ("InvalidBlockDeviceMapping", {"BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 4}}]}),
                ("InvalidLaunchTemplateName.NotFoundException", {"LaunchTemplate": {"LaunchTemplateName": "none"}}),
                ("SpotMaxPriceTooLow", {"InstanceMarketOptions": {"MarketType": "spot", "SpotOptions": {"MaxPrice": "0.0001"}}}),
                ("UnknownParameter", {"HibernationOptions": {"Configured": True}})):
            with self.subTest(asked=asked), self.refused(code, 400):
                self.run_instances(**asked)
        self.assertEqual(self.listed()[0], [])

    def test_template(self):
        """A template's data hold where the call says nothing; tags are those of both."""
        self.serve()
        data = {"ImageId": self.image(), "InstanceType": "t3.small", "UserData": base64.b64encode(b"one").decode(),
                "MetadataOptions": {"HttpTokens": "required"},
                "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "from", "Value": "template"}]}]}
        self.ec2.create_launch_template(LaunchTemplateName="tpl", LaunchTemplateData=data)
        with self.refused("InvalidLaunchTemplateName.AlreadyExistsException"):
            self.ec2.create_launch_template(LaunchTemplateName="tpl", LaunchTemplateData=data)
        self.ec2.create_launch_template_version(LaunchTemplateName="tpl", LaunchTemplateData={"InstanceType": "t3.large"},
                                                SourceVersion="1")
        answer = self.ec2.run_instances(MinCount=1, MaxCount=1, TagSpecifications=tags(more="tags"),
                                        LaunchTemplate={"LaunchTemplateName": "tpl", "Version": "$Latest"})
        one = self.cloud.instances[answer["Instances"][0]["InstanceId"]]
        self.assertEqual((one.kind, one.user_data, one.metadata["tokens"]), ("t3.large", b"one", "required"))
        self.assertEqual(one.tags, {"from": "template", "more": "tags"})
        with self.refused("InvalidLaunchTemplateId.VersionNotFound"):
            self.run_instances(LaunchTemplate={"LaunchTemplateName": "tpl", "Version": "7"})
        self.assertEqual(len(self.ec2.describe_launch_template_versions(LaunchTemplateName="tpl")["LaunchTemplateVersions"]), 2)
        self.assertEqual(self.ec2.describe_launch_templates()["LaunchTemplates"][0]["LatestVersionNumber"], 2)
        self.ec2.delete_launch_template(LaunchTemplateName="tpl")
        self.assertEqual(self.ec2.describe_launch_templates()["LaunchTemplates"], [])

    def test_dry_runs(self):
        """They say what is missing, also what a launch takes beside its own permission, and launch nothing."""
        self.serve(keys={peer.settings.ADMIN_KEY: {"secret": peer.settings.ADMIN_SECRET},
                         "AKIAFEW": {"secret": "s", "permissions": ["ec2:*", "!ec2:CreateTags", "!ec2:TerminateInstances"]}})
        with self.refused("DryRunOperation", 412):
            self.run_instances(DryRun=True)
        self.ec2 = self.client(key="AKIAFEW", secret="s")
        with self.refused("DryRunOperation", 412):
            self.run_instances(DryRun=True)
        with self.refused("UnauthorizedOperation", 403):
            self.run_instances(DryRun=True, TagSpecifications=tags(a="b"))
        with self.refused("UnauthorizedOperation", 403):
            self.run_instances(DryRun=True, IamInstanceProfile={"Name": "berth-host"})
        with self.refused("UnauthorizedOperation", 403):
            self.ec2.terminate_instances(InstanceIds=["i-00000000000000000"], DryRun=True)
        self.assertEqual(self.listed()[0], [])


if __name__ == "__main__":
    unittest.main()
