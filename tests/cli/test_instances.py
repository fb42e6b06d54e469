"""Instances: run, ps, show, stop, extend, logs, exec, stats, explain, with --wait and --watch."""

import json
import unittest

from . import cases, fake


class RunTest(cases.CliTest):
    def setUp(self):
        super().setUp()
        for name in ("demo", "bad", "stuck"):
            self.fake.add_blueprint(name)

    def test_it_prints_an_id_a_line(self):
        ids = self.berth("run", "demo", "--count", "3").out.split()
        self.assertEqual(ids, [r["id"] for r in self.fake.rows["instances"]])

    def test_sizes_and_durations_reach_the_daemon_as_numbers(self):
        self.berth("run", "demo", "--lifetime", "1h30m", "--owner", "ann", "--name", "web", "--pool", "default",
                   "--version", "1")
        self.assertEqual(self.fake.asked("POST")[0]["body"], {
            "blueprint": "demo", "blueprint_version": 1, "count": 1, "lifetime_s": 5400, "owner": "ann", "name": "web",
            "pool": "default"})

    def test_wait_returns_when_all_run(self):
        self.berth("run", "demo", "--count", "2", "--wait", "-q")
        self.assertEqual({r["state"] for r in self.fake.rows["instances"]}, {"running"})

    def test_wait_tells_why_one_failed(self):
        result = self.berth("run", "bad", "--wait=60", code=1)
        self.assert_mentions(result.err, "failed", "the image cannot be had")
        self.assertEqual(result.out, self.fake.rows["instances"][0]["id"] + "\n")

    def test_wait_ends_in_time(self):
        self.assert_mentions(self.berth("run", "stuck", "--wait=1", code=6).err, "not done in time", "it goes on")

    def test_wait_is_left_cleanly(self):
        process = self.start("run", "stuck", "--wait")
        while len(self.fake.asked("GET")) < 2:
            self.assertIsNone(process.poll())
        code, out, err = self.interrupt(process)
        self.assertEqual(code, 130)
        self.assertIn("no longer waited for", err)
        self.assertEqual(out.strip(), self.fake.rows["instances"][0]["id"])

    def test_dry_run_starts_nothing(self):
        self.assert_mentions(self.berth("run", "demo", "--dry-run").err, "would start 1 of demo")
        self.berth("run", "nothing", "--dry-run", code=3)
        self.assertEqual(self.fake.asked("POST"), [])


class ListTest(cases.CliTest):
    def test_ps_shows_the_living_and_with_all_the_ended(self):
        live, ended = self.fake.add_instance(), self.fake.add_instance("failed")
        self.assertEqual(self.berth("ps", "-q").out.split(), [live["id"]])
        self.assertEqual(self.berth("ps", "-qa").out.split(), [live["id"], ended["id"]])
        self.assertEqual(self.berth("ps", "-q", "--filter", "state=failed").out.split(), [ended["id"]])

    def test_table(self):
        self.fake.add_instance(name="web", created_at=fake.ago(301), ends_at=fake.ago(-7300))
        head, row = self.berth("ps").out.splitlines()
        self.assertEqual(head.split(), ["ID", "NAME", "BLUEPRINT", "OWNER", "STATE", "MEMORY", "AGE", "LEFT", "PORTS"])
        self.assert_mentions(row, "web", "running", "64 MiB", "5m", "2h", "127.0.0.1:32768->80/tcp")
        self.assertIn("HOST", self.berth("ps", "-o", "wide").out)

    def test_json_yaml_and_names(self):
        row = self.fake.add_instance(name="web")
        self.assertEqual(self.berth("ps", "-o", "json").json, [row])
        self.assert_mentions(self.berth("ps", "-o", "yaml").out, "- id: " + row["id"], "name: web")
        self.assertEqual(self.berth("ps", "-o", "name").out, row["id"] + "\n")

    def test_all_pages_are_followed_and_limit_cuts(self):
        ids = [self.fake.add_instance()["id"] for _ in range(7)]
        self.fake.page = 3
        self.assertEqual(self.berth("ps", "-q").out.split(), ids)
        self.assertEqual(len(self.fake.asked("GET")), 3)
        self.assertEqual(self.berth("ps", "-q", "--limit", "4").out.split(), ids[:4])

    def test_filters_the_daemon_knows_go_to_it_and_others_are_applied_here(self):
        self.fake.add_instance(owner="ann")
        bob = self.fake.add_instance(owner="bob", oom_kills=2)
        self.fake.add_instance(owner="bob")
        self.assertEqual(self.berth("ps", "-q", "--filter", "owner=bob", "-f", "oom_kills=2").out.split(), [bob["id"]])
        self.assertEqual(self.fake.seen[-1]["query"]["owner"], "bob")
        self.assertNotIn("oom_kills", self.fake.seen[-1]["query"])
        self.assert_mentions(self.berth("ps", "--filter", "onwer=bob", code=2).err, "onwer", "owner")

    def test_watch_prints_again_when_something_changed(self):
        row = self.fake.add_instance()
        process = self.start("ps", "--watch=1s")
        self.assertIn("ID", process.stdout.readline())
        self.assertIn("running", process.stdout.readline())
        row["state"] = "stopping"
        self.assertEqual(process.stdout.readline(), "\n")
        process.stdout.readline()
        self.assertIn("stopping", process.stdout.readline())
        self.assertEqual(self.interrupt(process)[0], 130)

    def test_control_characters_of_others_do_not_reach_a_table(self):
        self.fake.add_instance(name="a\x1b[31mb\nc")
        self.assertNotIn("\x1b", self.berth("ps").out)
        self.assertEqual(len(self.berth("ps").out.splitlines()), 2)


class OneTest(cases.CliTest):
    def setUp(self):
        super().setUp()
        self.row = self.fake.add_instance(name="web", reason="ready")

    def test_show_by_id_and_by_name(self):
        self.assertEqual(self.berth("show", self.row["id"], "-o", "json").json["name"], "web")
        self.assertEqual(self.berth("show", "web", "-o", "json").json["id"], self.row["id"])
        self.assert_mentions(self.berth("show", "web").out, "memory_bytes: 64 MiB", "ago)")
        self.assertEqual(len(self.berth("show", "web", self.row["id"], "-o", "json").json), 2)

    def test_a_name_that_two_have_is_refused(self):
        self.fake.add_instance(name="web")
        self.assert_mentions(self.berth("show", "web", code=5).err, "use an id")
        self.assert_mentions(self.berth("show", "other", code=3).err, "other")

    def test_stop_and_wait(self):
        self.berth("stop", "web", "--dry-run")
        self.assertEqual(self.row["state"], "running")
        self.berth("stop", "web", self.row["id"], "--wait")
        self.assertEqual(self.row["state"], "stopped")
        self.berth("stop", self.row["id"])

    def test_a_wait_pauses_for_none_that_is_done(self):
        """With a pause for each the deadline is not met."""
        many = [self.fake.add_instance()["id"] for _ in range(40)]
        self.berth("stop", *many, "--wait=20")
        self.assertEqual({r["state"] for r in self.fake.rows["instances"] if r["id"] in many}, {"stopped"})

    def test_extend(self):
        self.berth("extend", "web", "--lifetime", "2h")
        self.assertEqual(self.fake.asked("POST")[-1]["body"], {"lifetime_s": 7200})
        self.berth("extend", "web", "--until", "2030-01-01T00:00:00Z")
        self.assertEqual(self.row["ends_at"], "2030-01-01T00:00:00Z")
        self.berth("extend", "web", code=2)
        self.berth("extend", "web", "--until", "x", "--lifetime", "1h", code=2)

    def test_logs_pass_through_as_they_are(self):
        text = b"one\n\x1b[31mred\x1b[0m \xff\xfe\n"
        self.fake.streams[f"/v1/instances/{self.row['id']}/logs"] = fake.Stream("text/plain", text)
        self.assertEqual(self.berth("logs", "web", text=False).out, text)
        self.berth("logs", "web", "-f", "-t", "--tail", "5", "--since", "10m", text=False)
        self.assertEqual(self.fake.seen[-1]["query"], {"follow": "true", "tail": "5", "since": "10m", "timestamps": "true"})

    def test_followed_logs_come_as_they_are_written(self):
        def drip(handler):
            handler.wfile.write(b"first\n")
            handler.wfile.flush()
            self.fake.released.wait(cases.DEADLINE_S)
            handler.wfile.write(b"last\n")
        self.fake.streams[f"/v1/instances/{self.row['id']}/logs"] = fake.Stream("text/plain", drip)
        process = self.start("logs", "web", "-f", "--timeout", "1s")
        self.assertEqual(process.stdout.readline(), "first\n")
        self.fake.released.set()
        out, err = process.communicate(timeout=cases.DEADLINE_S)
        self.assertEqual((process.returncode, out), (0, "last\n"), err)

    def test_exec_passes_output_and_code(self):
        result = self.berth("exec", "web", "sh", "-c", "exit", "7", code=7)
        self.assertEqual((result.out, result.err), ("out: sh -c exit 7\n", "err\n"))
        self.berth("exec", "-u", "root", "--workdir", "/tmp", "web", "--", "ls", "-o", "--help")
        self.assertEqual(self.fake.asked("POST")[-1]["body"],
                         {"command": ["ls", "-o", "--help"], "user": "root", "workdir": "/tmp"})
        self.assert_mentions(self.berth("exec", "web", "lost", code=6).err, "cannot be reached")

    def test_an_exec_without_its_end_is_no_success(self):
        self.fake.fault(fake.STATUS, "POST", f"/v1/instances/{self.row['id']}/exec", status=200,
                        body=json.dumps({"stream": "stdout", "data": "x"}).encode(), media="application/x-ndjson")
        self.assert_mentions(self.berth("exec", "web", "ls", code=6).err, "exit code")

    def test_stats(self):
        self.assert_mentions(self.berth("stats", "web").out, "10 MiB / 64 MiB", "1 KiB / 2 KiB")
        self.assertEqual(self.berth("stats", "web", "-o", "json").json[0]["pids"], 3)

    def test_explain(self):
        self.assert_mentions(self.berth("explain", "web").out, "rack1", "5 MiB")


if __name__ == "__main__":
    unittest.main()
