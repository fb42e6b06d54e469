"""From an empty account and one configuration file to a container that answers on a machine of its own, and back."""

import os
import pathlib
import socket
import ssl
import stat
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.real import cases
from tests.real.elastic import Elastic, why_not
from tests.real.wait import wait_for


class ElasticTest(unittest.TestCase):
    def setUp(self):
        self.world = Elastic(pool={"security_group": {"create": True, "from": ["127.0.0.0/8"]}, "key_pair": {"create": True}})
        self.addCleanup(self.world.close)
        self.daemon = self.world.daemon

    def test_there_and_back(self):
        """Demand launches a machine; it becomes a host; what asked runs there; without demand it is given back."""
        world = self.world.start()
        world.load_image()
        world.blueprint("web")
        self.assertEqual(world.ledger()["launched"], 0, "nothing is launched before anybody asks")
        one = self.daemon.run("web")
        host, = world.await_hosts(1)
        self.daemon.await_running(one["id"], deadline_s=60)
        self.assertEqual(world.answer(one["id"]), b"sample answers\n")
        self.look_at_host(host)
        self.look_at_keys()
        self.assertIn('berth_cloud_calls_total{action="RunInstances"} 1\n', self.daemon.ask("GET", "/metrics").text)

        self.daemon.restart()
        self.assertEqual(world.answer(one["id"]), b"sample answers\n", "the container runs on")
        self.assertEqual([h["machine_id"] for h in world.await_hosts(1)], [host["machine_id"]])

        self.daemon.stop_instance(one["id"])
        world.await_machines(0)
        world.await_hosts(0, "spawned", "active", "inactive")
        book = world.assert_nothing_leaked()
        self.assertEqual(book["launched"], 1, "one machine was enough")
        self.look_at_the_end()

    def look_at_the_end(self):
        """Shut down, the pool leaves nothing in the account, and says so."""
        pair, = self.world.cloud.keys.values()
        public = self.daemon.call("GET", "/v1/ssh-key")["public_key"]
        self.assertEqual(pair["material"].split()[:2], public.split()[:2], "what `berth pool ssh-key` prints")
        made, = [g["id"] for g in self.world.cloud.groups.values() if "berth:pool" in g["tags"]]
        operation = self.daemon.call("POST", "/v1/pools/default/shutdown", {"deadline_s": 0}, status=202)
        path = f"/v1/operations/{operation['id']}"
        wait_for(lambda: self.daemon.call("GET", path)["state"] == "done", self.world.story, 60)
        self.assertRegex(self.daemon.call("GET", path)["text"], f"^proof: the account lists 0 machines .*; deleted: key pair {pair['id']}, security group {made}$")
        self.assertEqual(([g["name"] for g in self.world.cloud.groups.values()], self.world.cloud.keys), (["default"], {}))

    def look_at_host(self, host):
        """Its API row, and an engine that speaks to us alone."""
        self.assertEqual(len(host["playbook_revision"]), 16)
        self.assertEqual(host["machine_type"], "t3.small")
        keys = pathlib.Path(self.daemon.data) / "keys/pools/default"
        berthd = ssl.create_default_context(cafile=str(keys / "ca.pem"))
        stranger = ssl.create_default_context(cafile=str(keys / "ca.pem"))
        berthd.load_cert_chain(keys / "client.pem")
        self.assertIn(b" 200 OK", self.ping(host["address"], berthd))
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.ping(host["address"], stranger)

    def ping(self, address, context):
        """The first bytes that the engine answers; its certificate must be the pool's, and name the address."""
        with socket.create_connection((address, 2376), 10) as plain, \
                context.wrap_socket(plain, server_hostname=address) as tls:
            tls.sendall(b"GET /_ping HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\r\n")
            return tls.recv(100)

    def look_at_keys(self):
        """All that is secret is in one directory, for its owner alone."""
        keys = pathlib.Path(self.daemon.data) / "keys"
        for folder, folders, files in os.walk(keys):
            for name in [*folders, *files, "."]:
                mode = stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode)
                self.assertEqual(mode & 0o077, 0, f"{folder}/{name}")
        log = self.daemon.log_text()
        self.assertNotIn("PRIVATE KEY", log)
        self.assertNotIn((keys / "secret").read_text().strip(), log)


if __name__ == "__main__":
    cases.main(why_not())
