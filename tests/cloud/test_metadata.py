"""The metadata service as a machine sees it; an address of loopback is the machine."""

import http.client
import json
import unittest
from urllib.parse import urlsplit

from tests.cloud import peer
from tests.cloud.peer import tags

TOKEN, TTL = "X-aws-ec2-metadata-token", "X-aws-ec2-metadata-token-ttl-seconds"


class Metadata(peer.Case):
    def launch(self, **more):
        self.serve(metadata={"role": "berth-host"}, roles={"berth-host": {"permissions": ["ec2:Describe*"], "max_s": 3600, "container_token": "pass"}})
        self.machine, = self.run_instances(TagSpecifications=tags(Name="n"), UserData="#!/bin/sh\n",
                                           IamInstanceProfile={"Name": "berth-host"}, **more)
        self.address = self.cloud.instances[self.machine].private_ip

    def ask(self, method, path, headers=None, source=None):
        """(status, text) of a call that comes from the machine."""
        connection = http.client.HTTPConnection(urlsplit(self.server.imds_url).netloc, timeout=10,
                                                source_address=(source or self.address, 0))
        self.addCleanup(connection.close)
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def get(self, path):
        status, token = self.ask("PUT", "/latest/api/token", {TTL: "60"})
        self.assertEqual(status, 200)
        return self.ask("GET", "/latest/" + path, {TOKEN: token})

    def test_tokens(self):
        self.launch(MetadataOptions={"HttpTokens": "required"})
        self.assertEqual(self.ask("GET", "/latest/meta-data/instance-id")[0], 401)
        for ttl in ("0", "21601", "x"):
            self.assertEqual(self.ask("PUT", "/latest/api/token", {TTL: ttl})[0], 400)
        self.assertEqual(self.ask("PUT", "/latest/api/token")[0], 400)
        self.assertEqual(self.ask("PUT", "/latest/api/token", {TTL: "60", "X-Forwarded-For": "10.0.0.1"})[0], 403)
        token = self.ask("PUT", "/latest/api/token", {TTL: "60"})[1]
        path = "/latest/meta-data/instance-id"
        self.assertEqual(self.ask("GET", path, {TOKEN: token}), (200, self.machine))
        self.assertEqual(self.ask("GET", path, {TOKEN: token}, source="127.0.0.1")[0], 401)
        self.advance(60)
        self.assertEqual(self.ask("GET", path, {TOKEN: token})[0], 401)

    def test_first_version_if_allowed(self):
        self.launch()
        self.assertEqual(self.ask("GET", "/latest/meta-data/instance-id"), (200, self.machine))

    def test_disabled(self):
        self.launch(MetadataOptions={"HttpEndpoint": "disabled"})
        self.assertEqual(self.ask("PUT", "/latest/api/token", {TTL: "60"})[0], 403)

    def test_tree(self):
        self.launch(MetadataOptions={"InstanceMetadataTags": "enabled"})
        self.assertEqual(self.get("user-data"), (200, "#!/bin/sh\n"))
        self.assertEqual(self.get("meta-data/tags/instance/Name"), (200, "n"))
        self.assertEqual(self.get("meta-data/placement/availability-zone"), (200, "eu-central-1a"))
        self.assertIn("instance-id\n", self.get("meta-data/")[1])
        self.assertIn("iam/\n", self.get("meta-data/")[1])
        self.assertEqual(self.get("meta-data/iam/security-credentials/"), (200, "berth-host"))
        self.assertEqual(json.loads(self.get("dynamic/instance-identity/document")[1])["instanceId"], self.machine)
        self.assertEqual(self.get("meta-data/nothing")[0], 404)
        self.assertEqual(self.get("meta-data/spot/instance-action")[0], 404)

    def test_role_credentials(self):
        """They work, stay the same while they hold, and are renewed before they end."""
        self.launch()
        path = "meta-data/iam/security-credentials/berth-host"
        first = json.loads(self.get(path)[1])
        self.assertEqual(json.loads(self.get(path)[1]), first)
        lent = self.client(key=first["AccessKeyId"], secret=first["SecretAccessKey"], token=first["Token"])
        lent.describe_instances()
        with self.refused("UnauthorizedOperation", 403):
            lent.terminate_instances(InstanceIds=[self.machine])
        self.advance(3400)
        self.assertNotEqual(json.loads(self.get(path)[1])["AccessKeyId"], first["AccessKeyId"])
        lent.describe_instances()
        self.assertEqual(self.ask("GET", "/container/berth-host")[0], 401)
        held = json.loads(self.ask("GET", "/container/berth-host", {"Authorization": "pass"})[1])
        self.client(key=held["AccessKeyId"], secret=held["SecretAccessKey"], token=held["Token"]).describe_instances()

    def test_role_of_who_is_no_machine(self):
        """The machine that the cloud's user works on has the role of the setting, in the second version only."""
        self.launch()
        path = "/latest/meta-data/iam/security-credentials/berth-host"
        self.assertEqual(self.ask("GET", path, source="127.0.0.1")[0], 401)
        token = self.ask("PUT", "/latest/api/token", {TTL: "60"}, source="127.0.0.1")[1]
        held = json.loads(self.ask("GET", path, {TOKEN: token}, source="127.0.0.1")[1])
        self.client(key=held["AccessKeyId"], secret=held["SecretAccessKey"], token=held["Token"]).describe_instances()

    def test_spot_notice(self):
        self.launch(InstanceMarketOptions={"MarketType": "spot"})
        self.advance(2)
        self.cloud.interrupt(self.cloud.instances[self.machine], 120)
        notice = json.loads(self.get("meta-data/spot/instance-action")[1])
        self.assertEqual(notice["action"], "terminate")
        self.assertRegex(notice["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(self.get("meta-data/spot/termination-time"), (200, notice["time"]))


if __name__ == "__main__":
    unittest.main()
