"""How berthd starts, or says why it does not: options, configuration, addresses and data directories in use."""

import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import unittest

from tests.api import world


def berthd(*arguments, **environment):
    """Runs it to its end."""
    return subprocess.run([world.BERTHD, *arguments], capture_output=True, text=True, timeout=world.DEADLINE_S,
                          env={**os.environ, **environment}, check=False)


class Options(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="berth-start-")
        self.addCleanup(scratch.cleanup)
        self.file = pathlib.Path(scratch.name) / "berthd.yaml"

    def check(self, text, status, says):
        self.file.write_text(text, encoding="utf-8")
        done = berthd("--check-config", "--config", str(self.file))
        self.assertEqual(done.returncode, status, done)
        for words in says:
            self.assertIn(words, done.stdout if status == 0 else done.stderr)

    def test_check_config(self):
        self.check("cluster: lab\n", 0, [f"{self.file} is good"])
        self.check("cluster: Lab\nlog: {level: loud}\n", 2, [f"{self.file}: /cluster: must be", "/log/level: must be one of"])
        self.check("cluster: [\n", 2, [f"{self.file}:2:1:"])

    def test_check_config_changes_nothing(self):
        data = self.file.parent / "data"
        self.check(f"data_dir: {data}\n", 0, ["is good"])
        self.assertFalse(data.exists())

    def test_defaults(self):
        done = berthd("--check-config", DOCKER_HOST="")
        self.assertEqual((done.returncode, done.stdout), (0, "the default configuration is good\n"))

    def test_missing_file(self):
        done = berthd("--config", "/nowhere/berthd.yaml")
        self.assertEqual((done.returncode, done.stderr), (2, "berthd: /nowhere/berthd.yaml: No such file or directory\n"))

    def test_usage(self):
        for arguments in (["--color"], ["--config"], ["berthd.yaml"]):
            done = berthd(*arguments)
            self.assertEqual(done.returncode, 2, done)
            self.assertIn("Try `berthd --help`.", done.stderr)
        self.assertRegex(berthd("--version").stdout, r"^berthd \d+\.\d+\.\d+\n$")
        self.assertIn("Usage: berthd", berthd("--help").stdout)


class InUse(unittest.TestCase):
    def setUp(self):
        self.world = world.World(engines=0)
        self.addCleanup(self.world.close)
        self.file = pathlib.Path(self.world.dir) / "second.yaml"

    def second(self, data, port):
        self.file.write_text(f"data_dir: {data}\nlisten: ['http://127.0.0.1:{port}']\n", encoding="utf-8")
        return berthd("--config", str(self.file))

    def test_data_directory(self):
        done = self.second(f"{self.world.dir}/data", 0)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{self.world.dir}/data is in use by another berthd (process {self.world.process.pid})", done.stderr)

    def test_address(self):
        done = self.second(f"{self.world.dir}/other", self.world.port)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"cannot listen at 127.0.0.1:{self.world.port}: Address already in use", done.stderr)
        self.assertEqual(self.world.raw_call("GET", "/healthz", {}).status, 200)

    def test_address_with_work_to_take_up(self):
        """A start that fails leaves what the one before had begun as it was."""
        self.world.close()
        self.world = world.World(engines=1)
        self.addCleanup(self.world.close)
        self.world.blueprint("slow", ports=[{"container": 80}], ready={"kind": "port", "timeout_s": 600})
        made = self.world.ok("POST", "/v1/instances", {"blueprint": "slow"}).json
        world.wait_for(lambda: self.world.engines[0].containers, "its container is there")
        self.world.stop(signal.SIGKILL)
        with socket.create_server(("127.0.0.1", self.world.port)):
            done = berthd("--config", f"{self.world.dir}/berthd.yaml")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("Address already in use", done.stderr)
        self.world.start()
        self.assertEqual(self.world.get(f"/v1/instances/{made['id']}")["state"], "starting")


if __name__ == "__main__":
    unittest.main()
