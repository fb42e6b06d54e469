"""Real machines: what is launched boots, is who it should be, and leaves nothing behind."""

import base64
import contextlib
import functools
import json
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

from tests.cloud import cgroups, peer
from tests.cloud.bare import LIFE, MACHINES, new_key, why_not
from tests.real import wait

DEADLINE_S = 60
wait_for = functools.partial(wait.wait_for, deadline_s=DEADLINE_S, pause_s=0.1)


def traces(number):
    """What a cloud of that number has on this machine."""
    name = f"berth{number}-"
    spaces = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    found = [line for line in spaces.splitlines() if line.startswith(name)]
    state = f"{MACHINES['state']}/{number}/"
    found += [line for line in pathlib.Path("/proc/mounts").read_text().splitlines() if state in line]
    found += cgroups.named(name)
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if f"--machine={name}" in path.read_text():
                found.append(str(path))
    return found


class Real(peer.Case):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="berth-cloud-"))
        self.addCleanup(shutil.rmtree, self.dir)
        public = new_key(self.dir / "key")[1].strip()
        self.serve(clock="running", machines=MACHINES, life=LIFE)
        self.ec2.import_key_pair(KeyName="k", PublicKeyMaterial=public.encode())

    def launch(self, **more):
        """(id, address) of a machine whose host key was made here."""
        private, public = new_key(self.dir / f"host{len(self.cloud.instances)}")
        self.host_key = public.strip()
        user_data = "#cloud-config\n" + json.dumps({
            "ssh_keys": {"ed25519_private": private, "ed25519_public": self.host_key},
            "write_files": [{"path": "/etc/planted", "content": "by user data\n", "permissions": "0640"}],
            "runcmd": ["id -un >/root/ran", ["touch", "/root/two words"]]})
        one, = self.run_instances(KeyName="k", UserData=user_data, **more)
        return one, self.one(one)["PrivateIpAddress"]

    def ssh(self, address, command, check=True):
        """What the command says; the host key must be the one planted."""
        known = self.dir / "known"
        known.write_text(f"{address} {self.host_key}\n")
        words = ["ssh", "-F", "none", "-i", str(self.dir / "key"), "-o", f"UserKnownHostsFile={known}", "-o", "BatchMode=yes",
                 "-o", "StrictHostKeyChecking=yes", "-o", "ConnectTimeout=5", f"admin@{address}", command]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
        if check:
            self.assertEqual(done.returncode, 0, f"{command}: {done.stderr}")
        return done.stdout if done.returncode == 0 else None

    def wait_for_ssh(self, address):
        wait_for(lambda: self.ssh(address, "true", check=False) is not None, f"sshd at {address}")

    def fails_to_answer(self, address):
        with contextlib.suppress(OSError), socket.create_connection((address, 22), 0.5):
            return False
        return True

    def test_life(self):
        """Key, host key and user data are the ones given; the metadata service knows it; stop keeps, terminate kills."""
        one, address = self.launch()
        self.wait_for_ssh(address)
        wait_for(lambda: self.ssh(address, "sudo cat /root/ran", check=False) == "root\n", "user data's commands")
        self.assertEqual(self.ssh(address, "sudo cat /etc/planted; id -un; hostname"),
                         f"by user data\nadmin\nip-{address.replace('.', '-')}\n")
        self.assertEqual(self.ssh(address, "sed -n 's/MemTotal: *//p' /proc/meminfo"), f"{1024 * 1024} kB\n")
        token = "exec 3<>/dev/tcp/169.254.169.254/80; printf '%s /latest/{} HTTP/1.1\\r\\nHost: m\\r\\n{}\\r\\n" \
            "Connection: close\\r\\n\\r\\n' {} >&3; tail -n 1 <&3"
        given = self.ssh(address, token.format("api/token", "X-aws-ec2-metadata-token-ttl-seconds: 60", "PUT"))
        asked = token.format("meta-data/instance-id", "X-aws-ec2-metadata-token: " + given.strip(), "GET")
        self.assertEqual(self.ssh(address, asked).strip(), one)
        self.assertIn(self.host_key, base64.b64decode(self.console(one)).decode())
        self.ec2.stop_instances(InstanceIds=[one])
        wait_for(lambda: self.state(one) == "stopped" and self.fails_to_answer(address), "stopped")
        self.ec2.start_instances(InstanceIds=[one])
        self.wait_for_ssh(address)
        self.assertEqual(self.ssh(address, "sudo cat /etc/planted"), "by user data\n")
        self.ec2.terminate_instances(InstanceIds=[one])
        number = self.cloud.machines.network.number
        wait_for(lambda: not any(one[-12:] in line for line in traces(number)), "nothing left of it")
        self.assertTrue(self.fails_to_answer(address))

    def console(self, one):
        output = self.ec2.get_console_output(InstanceId=one)["Output"]
        return output if "SSH HOST KEY" not in output else base64.b64encode(output.encode())

    def test_poweroff_from_inside(self):
        one, address = self.launch(InstanceInitiatedShutdownBehavior="terminate")
        self.wait_for_ssh(address)
        self.ssh(address, "sudo systemctl poweroff", check=False)
        wait_for(lambda: self.state(one) == "terminated", "terminated by its own poweroff")
        self.assertEqual(self.one(one)["StateReason"]["Code"], "Client.InstanceInitiatedShutdown")

    def test_reboot_from_inside(self):
        """By its public address: after a reboot it is the same machine, whose user data is not run again."""
        one, address = self.launch()
        public = self.one(one)["PublicIpAddress"]
        self.assertNotEqual(public, address)
        self.wait_for_ssh(public)
        wait_for(lambda: self.ssh(public, "sudo cat /root/ran", check=False), "user data's commands")
        seen_from = self.ssh(public, "sudo rm /root/ran; echo ${SSH_CONNECTION%% *}")
        self.assertEqual(seen_from.strip(), public.rpartition(".")[0] + ".1")
        show = "systemctl show --property UserspaceTimestampMonotonic"
        started = self.ssh(public, show)
        self.ssh(public, "sudo systemctl reboot", check=False)
        wait_for(lambda: self.ssh(public, show, check=False) not in (None, started), "it has booted again")
        self.assertEqual(self.state(one), "running")
        wait_for(lambda: self.ssh(public, "systemctl is-active multi-user.target", check=False), "the boot's end")
        self.assertIsNone(self.ssh(public, "sudo test -e /root/ran", check=False))

    def test_docker_and_the_hop_limit(self):
        """A Docker engine installs and runs; a container gets a token of the metadata service only if two hops may be."""
        _, one = self.launch(MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 1})
        self.wait_for_ssh(one)
        self.ssh(one, "sudo apt-get -qq install -y --no-install-recommends docker.io curl >/dev/null 2>&1 </dev/null")
        wait_for(lambda: self.ssh(one, "sudo docker info", check=False), "the engine")
        ask = "curl -s -m 2 -X PUT -H X-aws-ec2-metadata-token-ttl-seconds:60 http://169.254.169.254/latest/api/token"
        # An image from what the machine has itself.
        self.ssh(one, "sudo tar -ch /usr/bin/curl /bin/sh /bin/cat $(ldd /usr/bin/curl | grep -o '/[^ ]*') 2>/dev/null"
                 " | sudo docker import - self:1")
        run = f"sudo docker run --rm --memory 64m self:1 {ask}"
        self.assertTrue(self.ssh(one, ask))
        options = next(iter(self.cloud.instances.values())).metadata
        for hops, gets in ((2, True), (1, False)):
            options["hops"] = hops
            self.assertEqual(bool(self.ssh(one, run, check=False)), gets, f"{hops} hops")
        limit = "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null"
        self.assertIn("67108864", self.ssh(one, f"sudo docker run --rm --memory 64m self:1 sh -c '{limit}; true'"))


class Killed(unittest.TestCase):
    def test_a_killed_cloud_takes_its_machines_along(self):
        """kill -9 of the server ends them; the next server of its number sweeps up, and leaves nothing itself."""
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({"machines": MACHINES, "life": LIFE}, file)
            file.flush()
            words = [sys.executable, "-m", "tests.cloud", "serve", "--listen", "127.0.0.1:0", "--config", file.name]
            program = subprocess.Popen(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            url = program.stdout.readline().split()[4].rstrip(",")
            ec2 = peer.client(url)
            self.addCleanup(ec2.close)
            answer = ec2.run_instances(ImageId="ami-0deb1200000000002", InstanceType="t3.nano", MinCount=1, MaxCount=1)
            address = answer["Instances"][0]["PrivateIpAddress"]
            number = int(address.split(".")[2])

            def nspawn():
                return [line for line in traces(number) if line.startswith("/proc/")]
            wait_for(nspawn, "the machine")
            program.send_signal(signal.SIGKILL)
            program.communicate()
            wait_for(lambda: not nspawn(), "the machine ends with its cloud")
            self.assertTrue(traces(number))
            program = subprocess.Popen(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            program.stdout.readline()
            program.terminate()
            program.communicate(timeout=DEADLINE_S)
            self.assertEqual(traces(number), [])


if __name__ == "__main__":
    reason = why_not()
    if reason:
        print(f"skipped: {reason}")
        sys.exit(77)
    unittest.main()
