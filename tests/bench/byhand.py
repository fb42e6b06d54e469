"""A machine made into a Docker host by hand: EC2's API through botocore, one OpenSSH connection, one shell script.

The script is what Berth's runner did when it prepared such a machine: its own scripts, in their order, with what each was
given to read. So both sides do the same work on the machine, and differ in how it gets there.
"""

import contextlib
import http.client
import io
import json
import os
import pathlib
import shlex
import shutil
import socket
import ssl
import subprocess
import tarfile
import tempfile
import time

from ..real import stock
from ..real.pki import Authority
from . import programs

IMAGE, TYPE = "ami-0deb1200000000002", "t3.small"
BOOT_S, SCRIPT_S, ENGINE_S = 60, 150, 30
LOOK_S = 0.05
ADDRESSES = range(2, 255)  # of the cloud's network: one certificate serves whichever machine comes
# Each step in a shell of its own, as the runner does it; its exit status is told.
DRIVER = """#!/bin/sh
cd "$(dirname "$0")"
for script in *.script; do
    n=${script%.script}
    sh -c "$(cat "$script")" <"$n.input" >"$n.out" 2>&1
    echo "$n $?"
done
"""


def await_true(condition, what, deadline_s):
    end = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"{what}: not within {deadline_s} s")
        time.sleep(LOOK_S)


class Hand:
    """Somebody with the account's keys, a script, and what a host needs: made once, used for each machine."""

    def __init__(self, session, cloud_url, region, access):
        """session: botocore's; access: (key id, secret)."""
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="berth-byhand-"))
        self.ec2 = session.create_client("ec2", region_name=region, endpoint_url=cloud_url, aws_access_key_id=access[0],
                                         aws_secret_access_key=access[1])
        self.user, self.planted, self.final = (stock.new_key(self.dir / what) for what in ("user", "planted", "final"))
        self.authority = Authority(str(self.dir / "pki"))
        self.client = self.authority.client("client")
        self.user_data = "#cloud-config\n" + json.dumps({
            "ssh_keys": {"ed25519_private": self.planted[0], "ed25519_public": self.planted[1]},
            "ssh_authorized_keys": [self.user[1].strip()]})
        self.id = self.address = self.bundle = None
        self.codes = []

    def close(self):
        self.ec2.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def launch(self):
        """Until its sshd accepts."""
        made = self.ec2.run_instances(ImageId=IMAGE, InstanceType=TYPE, MinCount=1, MaxCount=1, UserData=self.user_data,
                                      InstanceInitiatedShutdownBehavior="terminate",
                                      MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 1})
        self.id, self.address = (made["Instances"][0][name] for name in ("InstanceId", "PrivateIpAddress"))
        (self.dir / "known").write_text("".join(f"{self.address} {key[1].strip()}\n" for key in (self.planted, self.final)))
        await_true(self.accepts, f"sshd of {self.id}", BOOT_S)

    def accepts(self):
        with contextlib.suppress(OSError):
            socket.create_connection((self.address, 22), 1).close()
            return True
        return False

    def ssh(self):
        return ["ssh", "-F", "none", "-i", str(self.dir / "user"), "-o", f"UserKnownHostsFile={self.dir}/known",
                "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "ConnectTimeout=10", f"admin@{self.address}"]

    def end(self):
        if self.id:
            self.ec2.terminate_instances(InstanceIds=[self.id])
            self.id = None

    def version(self):
        """Whether the engine answers who has a certificate."""
        context = ssl.create_default_context(cafile=self.client.ca)
        context.load_cert_chain(self.client.cert, self.client.key)
        with contextlib.suppress(OSError), contextlib.closing(
                http.client.HTTPSConnection(self.address, stock.ENGINE_PORT, timeout=5, context=context)) as connection:
            connection.request("GET", "/version")
            return connection.getresponse().status == 200
        return False

    # --- The script ---

    def variables(self):
        prefix = self.address.rpartition(".")[0]
        made = self.authority.server("server", [f"{prefix}.{n}" for n in ADDRESSES])
        return {"berth_orchestrator": f"{prefix}.1/32", "berth_host_name": "by-hand", "berth_deadman_s": "3600",
                "berth_ssh_closed": "true", "berth_ssh_host_key": self.final[0], "berth_ssh_host_key_public": self.final[1],
                "berth_ca": stock.read(made.ca), "berth_server_cert": stock.read(made.cert),
                "berth_server_key": stock.read(made.key)}

    def record(self):
        """The runner prepares the machine; what it does is kept as the script."""
        steps = self.dir / "steps"
        steps.mkdir()
        shell = self.dir / "shell"
        shell.write_text(f"""#!/bin/bash
cd {shlex.quote(str(steps))} || exit 2
n=$(ls | grep -c 'script$')
n=$(printf %03d "$n")
printf %s "$2" >"$n.script"
cat >"$n.input"
{shlex.join(self.ssh())} "sudo /bin/sh -c $(printf %q "$2")" <"$n.input"
code=$?
echo "$n $code" >>../codes
exit "$code"
""")
        shell.chmod(0o755)
        done = subprocess.run([programs.program("bench_play"), str(stock.PLAYBOOK), json.dumps(self.variables())],
                              env={**os.environ, "BERTH_PLAY_SHELL": str(shell)}, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=SCRIPT_S, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"the runner failed: {done.stdout[-500:]}{done.stderr[-1500:]}")
        self.codes = (self.dir / "codes").read_text().splitlines()
        (steps / "run").write_text(DRIVER)
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            tar.add(steps, arcname=".")
        self.bundle = packed.getvalue()

    def replay(self):
        """The script over one connection; each step must end as it did when it was recorded."""
        words = "sudo sh -c 'd=$(mktemp -d) && tar -x -C \"$d\" && sh \"$d/run\"'"
        end = time.monotonic() + BOOT_S
        while True:
            done = subprocess.run([*self.ssh(), words], input=self.bundle, capture_output=True, timeout=SCRIPT_S, check=False)
            if done.returncode != 255 or done.stdout or time.monotonic() > end:
                break
            time.sleep(LOOK_S)  # its sshd accepts, but does not let in yet
        told = done.stdout.decode().splitlines()
        if told != self.codes:
            wrong = sorted(set(told) ^ set(self.codes))
            raise RuntimeError(f"the script ended otherwise than the runner: {wrong} {done.stderr.decode()[-500:]}")

    def prepare(self):
        """Seconds from the launch's call until the engine answers, and until sshd accepted."""
        began = time.perf_counter()
        self.launch()
        booted = time.perf_counter() - began
        self.replay()
        await_true(self.version, "the engine", ENGINE_S)
        return time.perf_counter() - began, booted
