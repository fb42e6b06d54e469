"""A bare machine that Berth did not rent becomes a host by SSH, serves, and is forgotten again."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.cloud import peer
from tests.cloud.test_real import LIFE, MACHINES, new_key
from tests.real import cases, daemon, elastic, image
from tests.real.wait import wait_for

PREPARE_S = 240


class GivenTest(peer.Case):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="berth-given-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.serve(clock="running", machines=MACHINES, life=LIFE)
        self.ec2.import_key_pair(KeyName="k", PublicKeyMaterial=new_key(self.folder / "key")[1].encode())
        self.daemon = daemon.Daemon([])
        self.addCleanup(self.daemon.close)
        self.daemon.start()

    def launch(self):
        """(id, address) of a machine of somebody else; its host key is self.host_key."""
        private, self.host_key = new_key(self.folder / "host")
        user_data = "#cloud-config\n" + json.dumps(
            {"ssh_keys": {"ed25519_private": private, "ed25519_public": self.host_key}})
        one, = self.run_instances(KeyName="k", UserData=user_data)
        return one, self.one(one)["PrivateIpAddress"]

    def ssh(self, address, command):
        """Whether the command succeeds there, as the operator whose key the machine knows."""
        known = self.folder / "known_hosts"
        known.write_text(f"{address} {self.host_key}\n")
        words = ["ssh", "-F", "none", "-i", str(self.folder / "key"), "-o", f"UserKnownHostsFile={known}", "-o",
                 "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "ConnectTimeout=5", f"admin@{address}", command]
        return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False).returncode == 0

    def berth(self, *words, code=0):
        """What the operator's command prints."""
        home = {"HOME": str(self.folder), "PATH": os.environ["PATH"], "BERTH_URL": self.daemon.url,
                "BERTH_TOKEN_FILE": os.path.join(self.daemon.data, "admin.token")}
        done = subprocess.run([daemon.program("berth"), *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              env=home, timeout=PREPARE_S + 60, check=False)
        self.assertEqual(done.returncode, code, f"berth {' '.join(words)}: {done.stdout}{done.stderr}\n{self.daemon.log_tail()}")
        return done.stdout + done.stderr

    def add(self, address, *more, **options):
        return self.berth("host", "add", "rack1", "--pool", "default", "--ssh", f"admin@{address}", *more, **options)

    def test_a_bare_machine_becomes_a_host(self):
        machine, address = self.launch()
        wait_for(lambda: self.ssh(address, "true"), lambda: f"sshd at {address}", 60)
        self.assertIn("host-key", self.add(address, code=2), "nobody's host key is taken on trust")
        self.assertIn("ed25519", self.add(address, "--host-key", "ssh-rsa AAAAB3NzaC1yc2E=", code=2))
        public = self.berth("pool", "ssh-key").strip()
        self.assertTrue(self.ssh(address, f"echo '{public}' >>.ssh/authorized_keys"))

        self.add(address, "--host-key", self.host_key, f"--wait={PREPARE_S}s")
        host = self.daemon.hosts()["rack1"]
        self.assertEqual((host["state"], host["address"]), ("active", address))
        self.assertIn("changed", self.berth("host", "log", "rack1"))
        self.serves(host)
        self.comes_back_from_a_backup()

        self.berth("host", "rm", "rack1", "--yes", "--wait=120s")
        self.assertEqual(self.one(machine)["State"]["Name"], "running", "a machine that is not ours is never ended")
        self.assertTrue(self.ssh(address, "true"), "whoever had access has it still")

    def serves(self, host):
        with open(image.build(str(self.folder)), "rb") as file:
            self.daemon.call("POST", "/v1/images?pool=default", file.read(), status=202,
                             headers={"Content-Type": "application/x-tar"})
        self.daemon.put_blueprint("web", elastic.HTTPD, memory_bytes=64 << 20,
                                  ports=[{"container": 8080, "protocol": "tcp"}])
        one = self.daemon.run("web")
        port = self.daemon.await_running(one["id"], deadline_s=60)["ports"][0]
        self.assertEqual(port["host_address"], host["address"])
        self.assertEqual(cases.http_get(port["host_address"], port["host_port"]), b"sample answers\n")
        self.daemon.stop_instance(one["id"])

    def comes_back_from_a_backup(self):
        """Of all that the daemon had only the backup and a token are left: its host is reached as before."""
        backup, token = self.folder / "backup.db", pathlib.Path(self.daemon.data, "admin.token")
        text = token.read_text(encoding="ascii")
        one = self.daemon.await_running(self.daemon.run("web")["id"], deadline_s=60)
        key = self.berth("pool", "ssh-key")
        self.berth("backup", "create", str(backup))
        self.daemon.stop()
        shutil.rmtree(self.daemon.data)
        self.daemon.command("--restore", str(backup), check=True)
        token.touch(mode=0o600)
        token.write_text(text, encoding="ascii")
        self.daemon.start()
        wait_for(lambda: self.daemon.hosts()["rack1"]["engine"]["reachable"], lambda: f"the engine answers\n{self.daemon.log_tail()}")
        self.assertEqual(self.daemon.hosts()["rack1"]["state"], "active")
        self.assertEqual(self.daemon.await_running(one["id"])["container_id"], one["container_id"])
        self.assertEqual(self.berth("pool", "ssh-key"), key)
        self.daemon.await_running(self.daemon.run("web")["id"], deadline_s=60)
        for each in self.daemon.items("instances"):
            self.daemon.stop_instance(each["id"])


if __name__ == "__main__":
    cases.main(elastic.why_not())
