"""The engine client alone, every verb, against an engine on a unix socket and one behind mutual TLS."""

import os
import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.real import cases, engines

PROGRAM = pathlib.Path(os.environ.get("BERTHD", "build/debug/berthd")).parent / "docker_test_live"


class DockerTest(unittest.TestCase):
    def run_against(self, network):
        with engines.Fleet(1, network=network) as fleet:
            engine = fleet.engines[0]
            env = dict(os.environ, BERTH_TEST_ENGINE=engine.url, BERTH_TEST_ARCHIVE=fleet.image_archive)
            if network:
                env.update(BERTH_TEST_CA=engine.identity.ca, BERTH_TEST_CERT=engine.identity.cert,
                           BERTH_TEST_KEY=engine.identity.key)
            done = subprocess.run([PROGRAM], env=env, capture_output=True, text=True, timeout=240)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertNotIn("is not set", done.stdout)
            self.assertEqual(engine.containers(), [])

    def test_unix_socket(self):
        self.run_against(network=False)

    def test_mutual_tls(self):
        self.run_against(network=True)


if __name__ == "__main__":
    cases.main()
