"""Machines of tests/cloud that playbooks are run on, and who runs them."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import shlex
import socket
import ssl
import subprocess

from tests.cloud.bare import SOURCE, new_key
from tests.real.pki import Authority
from tests.real.wait import wait_for

PLAYBOOK = SOURCE / "playbooks/docker-host.yml"
PLAY = os.environ.get("PLAY", str(SOURCE / "build/dbg/play"))
ENGINE_PORT = 2376
RUN_S = 300
# Images of the tests' cloud.
DEBIAN, UBUNTU = "ami-0deb1200000000002", "ami-0bb24040000000001"
STEP = re.compile(r"^(?:TASK|RUNNING HANDLER) \[(.*)\] \**$")


class Machine:
    """Bare, as a launch leaves it: opened by a key, with a host key that was planted."""

    def __init__(self, ec2, directory, name, image=DEBIAN):
        self.ec2, self.dir, self.name = ec2, pathlib.Path(directory) / name, name
        self.login = "admin" if image == DEBIAN else "ubuntu"
        self.dir.mkdir()
        user, planted, self.final = (new_key(self.dir / what) for what in ("user", "planted", "final"))
        user_data = "#cloud-config\n" + json.dumps({
            "ssh_keys": {"ed25519_private": planted[0], "ed25519_public": planted[1]}, "ssh_authorized_keys": [user[1].strip()]})
        answer = ec2.run_instances(ImageId=image, InstanceType="t3.medium", MinCount=1, MaxCount=1,
                                   UserData=user_data, InstanceInitiatedShutdownBehavior="terminate",
                                   MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 2})
        self.id = answer["Instances"][0]["InstanceId"]
        self.address = answer["Instances"][0]["PrivateIpAddress"]
        self.prefix = self.address.rpartition(".")[0]
        self.pin(planted[1], self.final[1])
        self.authority = Authority(str(self.dir / "pki"))
        self.client = self.authority.client("client")
        self.variables = {
            "berth_orchestrator": f"{self.prefix}.1/32", "berth_host_name": f"host-{name}", "berth_deadman_s": "3600",
            "berth_ssh_closed": "true", "berth_ssh_host_key": self.final[0], "berth_ssh_host_key_public": self.final[1]}
        self.renew("first")

    def renew(self, name):
        """Another certificate of the engine's; brought by the next run."""
        made = self.authority.server(name, [self.address])
        self.variables.update(berth_ca=read(made.ca), berth_server_cert=read(made.cert), berth_server_key=read(made.key))
        return ssl.PEM_cert_to_DER_cert(read(made.cert))

    def pin(self, *keys):
        """Host keys that are accepted from now on."""
        self.dir.joinpath("known").write_text("".join(f"{self.address} {key.strip()}\n" for key in keys))

    def ssh_options(self):
        return ["-F", "none", "-o", f"UserKnownHostsFile={self.dir}/known", "-o", "BatchMode=yes",
                "-o", "StrictHostKeyChecking=yes", "-o", "ConnectTimeout=5"]

    def ssh_words(self):
        return ["ssh", *self.ssh_options(), "-i", str(self.dir / "user"), f"{self.login}@{self.address}"]

    def ssh(self, command, check=True):
        """What the command, run as root, writes; None if it failed and may."""
        done = subprocess.run([*self.ssh_words(), f"sudo sh -ec '{command}'"], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=120, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"{self.name}: {command}: {done.stdout}{done.stderr}")
        return done.stdout if done.returncode == 0 else None

    def wait_for_ssh(self):
        wait_for(lambda: self.ssh("true", check=False) is not None, f"sshd at {self.address}", 60)

    def state(self):
        return self.ec2.describe_instances(InstanceIds=[self.id])["Reservations"][0]["Instances"][0]["State"]["Name"]

    def tls(self, client=None):
        """What connects with this client's certificate, or with none."""
        context = ssl.create_default_context(cafile=self.client.ca)
        if client:
            context.load_cert_chain(client.cert, client.key)
        return context

    def version(self, client):
        """The engine's answer to GET /version."""
        connection = http.client.HTTPSConnection(self.address, ENGINE_PORT, timeout=20, context=self.tls(client))
        try:
            connection.request("GET", "/version")
            return connection.getresponse().status
        finally:
            connection.close()

    def certificate(self):
        """The one that the engine shows, DER."""
        with socket.create_connection((self.address, ENGINE_PORT), 20) as plain, \
                self.tls(self.client).wrap_socket(plain, server_hostname=self.address) as secure:
            return secure.getpeercert(binary_form=True)

    def docker(self, *words, check=True):
        """What Docker's own client says, over mutual TLS."""
        tls = ["--tlsverify", "--tlscacert", self.client.ca, "--tlscert", self.client.cert, "--tlskey", self.client.key]
        done = subprocess.run(["docker", "--host", f"tcp://{self.address}:{ENGINE_PORT}", *tls, *words], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"{self.name}: docker {' '.join(words)}: {done.stderr}")
        return done.stdout.strip() if done.returncode == 0 else None

    def engine_answers(self):
        try:
            return self.version(self.client) == 200
        except OSError:
            return False


def read(path):
    return pathlib.Path(path).read_text()


class Failed(AssertionError):
    """A run of a playbook did."""


def by_ansible(machine, *options):
    """Names of the steps that changed something."""
    (machine.dir / "variables.json").write_text(json.dumps(machine.variables))
    (machine.dir / "ansible.cfg").touch()
    environment = {**os.environ, "HOME": str(machine.dir), "ANSIBLE_CONFIG": str(machine.dir / "ansible.cfg"),
                   "ANSIBLE_NOCOLOR": "1", "ANSIBLE_PIPELINING": "1", "ANSIBLE_HOST_KEY_CHECKING": "True", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        ["ansible-playbook", "-i", f"{machine.address},", "-u", machine.login, "--private-key", str(machine.dir / "user"),
         "--ssh-common-args", " ".join(machine.ssh_options()), "-e", "ansible_python_interpreter=/usr/bin/python3",
         "-e", f"@{machine.dir}/variables.json", *options, str(PLAYBOOK)],
        env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=RUN_S, check=False)
    if done.returncode != 0:
        raise Failed(done.stdout + done.stderr)
    changed, step = [], ""
    for line in done.stdout.splitlines():
        found = STEP.match(line)
        step = found[1] if found else step
        if line.startswith("changed:") and step not in changed:
            changed.append(step)
    return changed


@contextlib.contextmanager
def connection(machine):
    """Words of an ssh that goes through one connection, as Berth's own steps do."""
    words = machine.ssh_words()
    path = ["-o", f"ControlPath={machine.dir}/connection"]
    subprocess.run([*words, *path, "-M", "-N", "-f"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   timeout=60, check=True)
    try:
        yield [*words, *path]
    finally:
        subprocess.run([*words, *path, "-O", "exit"], stdin=subprocess.DEVNULL, capture_output=True, check=False)


def by_berth(machine, *options):
    """The same by Berth's runner; its scripts go through OpenSSH's client."""
    shell = machine.dir / "shell"
    words = [word.replace("--tags", "--tag") for word in options]
    with connection(machine) as ssh:
        shell.write_text('#!/bin/bash\n[ "$1" = -c ] || exit 2\n'
                         f"exec {shlex.join(ssh)} \"sudo /bin/sh -c $(printf %q \"$2\")\"\n")
        shell.chmod(0o755)
        done = subprocess.run([PLAY, str(PLAYBOOK), json.dumps(machine.variables), *words],
                              env={**os.environ, "BERTH_PLAY_SHELL": str(shell)}, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=RUN_S, check=False)
    if done.returncode != 0:
        raise Failed(done.stdout + done.stderr)
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    return [step["step"] for step in steps if step["end"] == "changed"]


def packages_for_ansible(machine):
    """Its modules are Python."""
    machine.ssh("DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends python3 >/dev/null 2>&1 </dev/null")
