"""The life of six hosts before a cloud of its own, by the C program tests/unit/cloud/test_live.c."""

import os
import pathlib
import subprocess
import tempfile
import threading
import unittest

from tests.cloud import config
from tests.cloud.ledger import ledger
from tests.cloud.server import Server

PROGRAM = pathlib.Path(os.environ.get("BERTHD", "build/debug/berthd")).parent / "cloud_test_live"
HOSTS = 6
LIFE = {"pending_s": 0.3, "initializing_s": 0.1, "shutdown_s": 0.3, "visible_after_s": 0.2}
TYPES = {"t3.micro", "t3.small"}


class Live(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def live(self, environment=None, skew_s=0, watch=None, prepare=None, **settings):
        """A life against a cloud with these settings; environment: or a function of the server; prepare(cloud) is called before,
        watch(cloud) in a thread meanwhile. Returns the ledger's machines."""
        server = Server(config.build(**{"seed": 1, "life": LIFE, **settings}))
        self.addCleanup(server.close)
        self.cloud = server.cloud
        server.cloud.clock.skew_s = skew_s
        if prepare:
            prepare(server.cloud)
        if watch:
            threading.Thread(target=watch, args=(server.cloud,), daemon=True).start()
        if callable(environment):
            environment = environment(server)
        key, value = next(iter(server.cloud.config["keys"].items()))
        keys = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": value["secret"]} if environment is None else {}
        plain = {name: text for name, text in os.environ.items() if not name.startswith("AWS_") and name != "HOME"}
        done = subprocess.run([PROGRAM], env={**plain, "BERTH_TEST_CLOUD": server.url, "AWS_REGION": "eu-central-1",
                                              "AWS_ENDPOINT_URL": server.url,
                                              "AWS_EC2_METADATA_SERVICE_ENDPOINT": server.imds_url, **keys,
                                              **(environment or {})},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        with server.cloud.lock:
            server.cloud.tick()
            book = ledger(server.cloud)
        self.assertEqual((book["alive"], book["untagged"], book["volumes_left"]), ([], [], []))
        self.assertEqual(book["launched"], HOSTS, "a machine for each intent, no more")
        self.calls = book["calls"]
        return book["machines"]


def admin():
    return {"AWS_ACCESS_KEY_ID": config.ADMIN_KEY, "AWS_SECRET_ACCESS_KEY": config.ADMIN_SECRET}
