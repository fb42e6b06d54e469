"""What an operator does with a berthd before real engines: back up and restore, load images, reload,
fill its disk, stop it under load.
"""

import contextlib
import http.client
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.real import audit, cases, daemon, image
from tests.real.wait import wait_for

WAIT = ["fixture", "wait"]
FIXED_PORT = 20080
world = None


def setUpModule():
    global world
    cases.skip_unless_possible()
    world = cases.World(3)


def tearDownModule():
    if world is not None:
        world.close()


class BackupTest(cases.WorldTest):
    def restore(self, backup):
        file = os.path.join(self.daemon.directory, "backup.db")
        pathlib.Path(file).write_bytes(backup)
        self.daemon.stop()
        self.daemon.command("--restore", file, check=True)
        self.daemon.start()

    def test_a_restore_takes_up_what_still_runs(self):
        self.daemon.put_blueprint("kept", WAIT)
        before, ended = [self.daemon.await_running(i["id"]) for i in self.daemon.run("kept", count=2)]
        reply = self.daemon.ask("POST", "/v1/backups")
        self.assertEqual((reply.status, reply.body[:15]), (200, b"SQLite format 3"))
        self.daemon.stop_instance(ended["id"])
        self.daemon.await_state(ended["id"], "stopped")
        after = self.daemon.await_running(self.daemon.run("kept")["id"])

        self.restore(reply.body)
        wait_for(lambda: {i["id"] for i in self.daemon.items("instances")} >= {after["id"]},
                 "what was started after the backup is taken in")
        for row in (before, after):
            now = self.daemon.await_running(row["id"])
            self.assertEqual([now[k] for k in ("container_id", "host", "generation", "owner")],
                             [row[k] for k in ("container_id", "host", "generation", "owner")])
        # The rows say that it runs; its container is gone.
        self.assertTrue(self.daemon.await_state(ended["id"], "failed")["reason"])
        self.world.settle()
        self.assertEqual(self.daemon.call("GET", "/v1/doctor")["failed"], 0)

    def test_what_is_no_backup_is_refused_and_changes_nothing(self):
        self.daemon.put_blueprint("kept", WAIT)
        kept = self.daemon.await_running(self.daemon.run("kept")["id"])
        bad = os.path.join(self.daemon.directory, "bad.db")
        pathlib.Path(bad).write_text("no database at all" * 1000, encoding="ascii")
        self.assertIn("in use", self.daemon.command("--restore", bad).stderr)
        self.daemon.stop()
        done = self.daemon.command("--restore", bad)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("bad.db", done.stderr)
        self.daemon.start()
        self.assertEqual(self.daemon.await_running(kept["id"])["container_id"], kept["container_id"])


class ImageTest(cases.WorldTest):
    def has(self, engine, name):
        return engine.request("GET", f"/images/{name}/json").status == 200

    def load(self, name):
        with tempfile.TemporaryDirectory() as directory:
            archive = pathlib.Path(image.build(directory, name)).read_bytes()
        started = self.daemon.call("POST", "/v1/images?pool=default", archive, status=202,
                                   headers={"Content-Type": "application/x-tar"})
        def ended():
            now = self.daemon.call("GET", "/v1/operations/" + started["id"])
            return now if now["state"] != "running" else None
        return wait_for(ended, "the archive is loaded")

    def test_an_archive_reaches_every_host_and_those_that_join_later(self):
        name, late = "berth-loaded:1", self.engines[2]
        hosts = self.daemon.hosts()
        self.daemon.call("POST", f"/v1/hosts/{hosts[late.name]['id']}/remove", {})
        wait_for(lambda: late.name not in self.live_hosts(), "the host is removed")
        self.assertEqual(self.load(name)["state"], "done")
        self.assertEqual([self.has(e, name) for e in self.engines], [True, True, False])
        listed = self.daemon.call("GET", "/v1/images?pool=default")
        self.assertEqual([i["hosts"] for i in listed["items"] if i["reference"] == name], [2])
        self.assertIn(name, str(listed["kept"]))

        self.daemon.call("POST", "/v1/hosts", {"pool": "default", "labels": {"place": late.name},
                                               **daemon.static_host(late)})
        wait_for(lambda: self.has(late, name), "the host that joined has the image")
        self.daemon.await_running(self.start("loaded", WAIT, pinned=late, image=name))

    def live_hosts(self):
        return [n for n, h in self.daemon.hosts().items() if h["state"] != "removed"]

    def test_what_is_no_archive_fails_and_says_so(self):
        started = self.daemon.call("POST", "/v1/images?pool=default", b"x" * 2048, status=None,
                                   headers={"Content-Type": "application/x-tar"})
        def failed():
            return self.daemon.call("GET", "/v1/operations/" + started["id"])["state"] == "failed"
        wait_for(failed, "the operation fails")


class RunTest(cases.WorldTest):
    def test_a_fixed_port_is_taken_once_on_each_host(self):
        self.daemon.put_blueprint("fixed", ["httpd", "-f", "-p", "8080", "-h", "/www"], ports=[
            {"container": 8080, "protocol": "tcp", "host": FIXED_PORT}])
        rows = [self.daemon.await_running(i["id"], deadline_s=60) for i in self.daemon.run("fixed", count=3)]
        self.assertEqual({r["ports"][0]["host_port"] for r in rows}, {FIXED_PORT})
        self.assertEqual(len({r["host"] for r in rows}), 3)
        for row in rows:
            self.assertEqual(cases.http_get(row["ports"][0]["host_address"], FIXED_PORT), b"sample answers\n")

    def test_the_idle_end(self):
        idle = self.start("idle", WAIT, idle_timeout_s=1, end_grace_s=0)
        self.assert_mentions(self.daemon.await_state(idle, "stopped", deadline_s=60)["reason"], "idle")

    def test_a_drain_moves_what_always_runs_and_stops_the_rest(self):
        names = {}
        for policy in ("always", "no"):
            self.daemon.put_blueprint("drained-" + policy, WAIT, restart={"policy": policy})
            names[policy] = self.daemon.await_running(self.daemon.run("drained-" + policy)["id"])
        host = names["always"]["host"]
        self.assertEqual(names["no"]["host"], host)
        self.daemon.call("POST", f"/v1/hosts/{host}/drain", {"deadline_s": 0})
        self.assert_mentions(self.daemon.await_state(names["no"]["id"], "stopped")["reason"], "drain")
        moved = wait_for(lambda: self.moved(names["always"]), "it runs on another host")
        self.assertEqual(moved["generation"], names["always"]["generation"] + 1)
        self.daemon.call("POST", f"/v1/hosts/{host}/activate")

    def moved(self, before):
        now = self.daemon.instance(before["id"])
        return now if now["state"] == "running" and now["host"] != before["host"] else None

    def test_followed_logs_come_as_they_are_written(self):
        loud = self.start("loud", ["sh", "-c", "echo first; while [ ! -e /tmp/go ]; do sleep 0.05; done; "
                                   "echo second; exec fixture wait"])
        row = self.daemon.await_running(loud)
        connection = http.client.HTTPConnection("127.0.0.1", self.daemon.port, timeout=20)
        with contextlib.closing(connection):
            connection.request("GET", f"/v1/instances/{loud}/logs?follow=true",
                               headers={"Authorization": "Bearer " + self.daemon.token})
            answer = connection.getresponse()
            self.assertEqual(answer.readline(), b"first\n")
            self.world.engine_of(row).exec(row["container_id"], "touch", "/tmp/go")
            self.assertEqual(answer.readline(), b"second\n")
        since = self.daemon.ask("GET", f"/v1/instances/{loud}/logs?since=2100-01-01T00:00:00Z")
        self.assertEqual((since.status, since.body), (200, b""))


class ProcessTest(cases.WorldTest):
    def open_files(self):
        return len(os.listdir(f"/proc/{self.daemon.pid}/fd"))

    def settled_files(self, most):
        """Connections to engines rest for a while: the number must come down to most by itself."""
        wait_for(lambda: self.open_files() <= most,
                 lambda: f"at most {most} descriptors are open, there are {self.open_files()}", 60)

    def launch_and_stop(self, count):
        ids = [i["id"] for i in self.daemon.run("many", count=count)]
        for instance in ids:
            self.daemon.await_running(instance, deadline_s=60)
            self.assertEqual(self.daemon.ask("GET", f"/v1/instances/{instance}/logs").status, 200)
            self.daemon.stop_instance(instance)
        for instance in ids:
            self.daemon.await_state(instance, "stopped", deadline_s=60)

    def test_no_descriptor_is_left_after_many_launches(self):
        self.daemon.put_blueprint("many", WAIT)
        self.launch_and_stop(12)
        before = self.open_files()
        for _ in range(3):
            self.launch_and_stop(12)
        self.settled_files(before)

    def test_a_second_daemon_is_refused(self):
        done = self.daemon.command(timeout=20)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("in use by another berthd", done.stderr)
        self.assertIn(str(self.daemon.pid), done.stderr)
        self.assertTrue(self.daemon.ready())

    def test_a_reload_takes_effect_and_a_bad_file_does_not(self):
        good = json.loads(json.dumps(self.daemon.config))
        pool = self.daemon.config["pools"]["default"]
        try:
            pool["labels"] = {"tier": "gold"}
            self.daemon.reload()
            self.daemon.await_host(self.engines[0].name, lambda h: h["labels"].get("tier") == "gold",
                                   "has the pool's new label")
            mark = len(self.daemon.log_tail(1 << 20))
            pool["labels"] = {"tier": "tin"}
            pool["hosts"][0]["engine"] = "carrier-pigeon:1"
            self.daemon.reload()
            wait_for(lambda: "engine" in self.daemon.log_tail(1 << 20)[mark:], "the bad file is told of")
            self.daemon.call("POST", "/v1/housekeeping")
            self.assertEqual(self.daemon.hosts()[self.engines[0].name]["labels"]["tier"], "gold")
            self.assertNotEqual(self.daemon.command("--check-config").returncode, 0)
        finally:
            self.daemon.config = good
            self.daemon.reload()
            self.daemon.await_host(self.engines[0].name, lambda h: "tier" not in h["labels"], "is as before")

    def test_a_clean_stop_under_load(self):
        self.daemon.put_blueprint("load", WAIT)
        for _ in range(3):
            ids = [i["id"] for i in self.daemon.run("load", count=6)]
            wait_for(lambda: audit.copies(self.engines), "the first container was created")
            self.daemon.restart()  # a status other than 0, as after a leak, fails
        self.world.settle()
        self.assertEqual({self.daemon.instance(i)["state"] for i in ids}, {"running"})


class FullDiskTest(unittest.TestCase):
    """A daemon of its own, with its data on a file system of a few megabytes."""

    SIZE = "48M"

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="berth-disk-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        disk, self.mount = (os.path.join(self.directory, n) for n in ("disk.img", "mount"))
        os.mkdir(self.mount)
        for command in (["truncate", "-s", self.SIZE, disk], ["mkfs.ext4", "-q", "-m", "0", disk],
                        ["mount", "-o", "loop", disk, self.mount]):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0 and command[0] == "mount":
                self.skipTest("no loop device here: " + done.stderr.strip())
            self.assertEqual(done.returncode, 0, done.stderr)
        self.addCleanup(subprocess.run, ["umount", self.mount], check=True)
        engine = world.engines[0]
        self.daemon = daemon.Daemon([daemon.static_host(engine)], data=os.path.join(self.mount, "data"))
        self.addCleanup(engine.remove_containers)
        self.addCleanup(self.daemon.close)
        self.daemon.start()
        self.daemon.await_host(engine.name, lambda h: h.get("state") == "active", "is active")

    def fill(self):
        """Every last byte."""
        with open(os.path.join(self.mount, "filler"), "wb", buffering=0) as filler:
            for size in (1 << 20, 4096, 1):
                with contextlib.suppress(OSError):
                    while True:
                        filler.write(b"x" * size)

    def test_reads_and_stops_go_on_and_creates_come_back(self):
        self.daemon.put_blueprint("load", WAIT)
        ids = [i["id"] for i in self.daemon.run("load", count=3)]
        for instance in ids:
            self.daemon.await_running(instance)
        self.fill()
        refused = wait_for(self.refused, "a create is refused")
        self.assertEqual(refused.json()["code"], "storage_full")
        self.assertIn("retry-after", refused.headers)
        self.daemon.config["pools"]["late"] = {"provider": "static", "hosts": []}
        self.daemon.reload()
        self.assertEqual({i["state"] for i in self.daemon.items("instances") if i["id"] in ids}, {"running"})
        self.daemon.stop_instance(ids[0])
        self.daemon.await_state(ids[0], "stopped")
        self.assertEqual(self.refused().json()["code"], "storage_full")
        os.unlink(os.path.join(self.mount, "filler"))
        made = wait_for(self.made, "a create is accepted again")
        self.daemon.await_running(made)
        self.assertIn("late", [p["name"] for p in self.daemon.items("pools")])
        self.daemon.restart()
        self.assertEqual([self.daemon.instance(i)["state"] for i in (*ids, made)],
                         ["stopped", "running", "running", "running"])

    def refused(self):
        reply = self.daemon.ask("POST", "/v1/instances", {"blueprint": "load"})
        return reply if reply.status == 503 else None

    def made(self):
        reply = self.daemon.ask("POST", "/v1/instances", {"blueprint": "load"})
        return reply.json()["id"] if reply.status == 202 else None


if __name__ == "__main__":
    cases.main()
