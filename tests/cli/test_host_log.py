"""berth host log: what a preparation did, and how it ended."""

import json
import signal
import time
import unittest

from . import cases, fake, fake_hosts, rows, test_terminal

ESC = "\x1b["


class HostLogTest(cases.CliTest):
    def setUp(self):
        super().setUp()
        self.host = self.fake.add_host("default-3", state="inactive", machine_type="t3.large", active_at=None,
                                       reason="its preparation failed 3 times")
        self.steps = self.fake.rows["steps"]
        self.add(1, 1, "wait for the boot", output="up\n")
        self.add(1, 2, "packages", "failed", took_s=61.5, reason="exit code 100", cut_bytes=70000,
                 output=f"Reading lists\nE: no such package {ESC}31m\n")
        self.add(2, 0, "connection", "failed", took_s=15, steps=0, reason="no route to host")
        self.add(3, 2, "packages", "changed")
        self.add(3, 3, "docker", "skipped")

    def add(self, run, number, name, state="ok", **fields):
        self.steps.append(fake_hosts.step(self.host["id"], run, number, name, state, **fields))

    def test_it_is_readable(self):
        lines = self.berth("host", "log", "default-3").out.splitlines()
        self.assertRegex(lines[0], r"^Run 1, 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(lines[1:8], [
            "    1/4  ok         1.2s  wait for the boot",
            "    2/4  FAILED      61s  packages",
            "          exit code 100",
            "          | (68.4 KiB before this are not kept)",
            "          | Reading lists",
            f"          | E: no such package {ESC}31m".replace("\x1b", " "),
            ""])
        self.assertRegex(lines[8], "^Run 2, ")
        self.assertEqual(lines[9:11], ["      -  FAILED      15s  connection", "          no route to host"])
        self.assertEqual(lines[13:], ["    2/4  changed    1.2s  packages", "    3/4  skipped    1.2s  docker"])

    def test_wide_has_all_that_was_written(self):
        self.assert_mentions(self.berth("host", "log", "default-3", "-o", "wide").out, "          | up\n")
        self.assertNotIn("| up", self.berth("host", "log", "default-3").out)

    def test_parts(self):
        self.assertNotIn("Run 1", self.berth("host", "log", "default-3", "--run", "3").out)
        failed = self.berth("host", "log", "default-3", "--failed").out
        self.assertNotIn("wait for the boot", failed)
        self.assert_mentions(failed, "exit code 100", "no route to host")
        self.assertEqual(self.fake.asked("GET")[-1]["query"]["failed"], "true")
        self.assert_mentions(self.berth("host", "log", "default-3", "--run", "0", code=2).err, "--run")
        self.assert_mentions(self.berth("host", "log", "default-3", "--run", "9").err, "no such step")
        self.berth("host", "log", "nobody", code=3)

    def test_for_programs(self):
        self.assertEqual(self.berth("host", "log", "default-3", "-o", "json").json, self.steps)
        self.assertEqual(self.berth("host", "log", "default-3", "-q", "--run", "3").out, "packages\ndocker\n")
        lines = self.berth("host", "log", "default-3", "-f", "-o", "json", code=1).out.splitlines()
        self.assertEqual([json.loads(line) for line in lines], self.steps)

    def test_followed_until_given_up(self):
        result = self.berth("host", "log", "default-3", "-f", code=1)
        self.assertEqual(result.out, self.berth("host", "log", "default-3").out)
        self.assert_mentions(result.err, "default-3 was not prepared: its preparation failed 3 times")

    def test_followed_until_prepared(self):
        self.host["state"] = "active"
        self.assert_mentions(self.berth("host", "log", "default-3", "-f").err, "default-3 is prepared")

    def test_an_interruption_is_made_good(self):
        """The connection breaks behind the second step: what follows is asked for, and nothing printed twice."""
        path = "/v1/hosts/default-3/log"
        events = [fake_hosts.event("step", s, n + 1) for n, s in enumerate(self.steps)]
        half, rest = "".join(events[:2]), "".join(events[2:]) + fake_hosts.event("end", {"prepared": True, "state": "active",
                                                                                       "reason": None})
        self.fake.fault(fake.STATUS, "GET", path, status=200, body=half.encode(), media="text/event-stream")
        self.fake.streams[path] = rows.Stream("text/event-stream", rest.encode())
        followed = self.berth("host", "log", "default-3", "-f").out
        del self.fake.streams[path]
        self.assertEqual(followed, self.berth("host", "log", "default-3").out)
        self.assertEqual(self.fake.asked("GET", path)[1]["headers"]["last-event-id"], "2")

    def test_ctrl_c_ends_it(self):
        self.fake.fault(fake.HANG, "GET", "/v1/hosts/default-3/log")
        process = self.start("host", "log", "default-3", "-f")
        deadline = time.monotonic() + cases.DEADLINE_S
        while not self.fake.asked("GET", "/v1/hosts/default-3/log"):
            self.assertIsNone(process.poll())
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(cases.DEADLINE_S), 130)
        process.communicate()

    def test_show_names_the_failed_step(self):
        shown = self.berth("host", "show", "default-3").out
        self.assert_mentions(shown, "FAILED: run 2, the connection\n  no route to host\n",
                             "berth host log default-3 --failed")
        self.assertNotIn("FAILED:", self.berth("host", "show", "default-3", "-o", "json").out)
        self.add(4, 3, "docker", "failed", reason="timeout")
        self.assert_mentions(self.berth("host", "show", "default-3").out, "FAILED: run 4, step 3 of 4 (docker)\n  timeout\n")
        self.host["active_at"] = rows.ago(5)
        self.assertNotIn("FAILED:", self.berth("host", "show", "default-3").out)


class HostLogTerminalTest(test_terminal.Terminal):
    def test_progress_and_colours(self):
        host = self.fake.add_host("default-4")
        steps = self.fake.rows["steps"]
        steps.append(fake_hosts.step(host["id"], 1, 1, "packages", "changed"))
        steps.append(fake_hosts.step(host["id"], 1, 2, "docker", "running", output="a\nUnpacking docker.io\n"))
        shown, code = self.on_terminal("host", "log", "default-4", "-f")
        self.assertEqual(code, 0)
        self.assert_mentions(shown, f"{ESC}33mchanged{ESC}0m", "step 2 of 4, docker: Unpacking docker.io",
                             f"\r{ESC}Kberth: default-4 is prepared")

    def test_no_progress_elsewhere(self):
        host = self.fake.add_host("default-4")
        self.fake.rows["steps"].append(fake_hosts.step(host["id"], 1, 2, "docker", "running", output="x\n"))
        result = self.berth("host", "log", "default-4", "-f")
        self.assertEqual((result.out, result.err), ("", "berth: default-4 is prepared\n"))


if __name__ == "__main__":
    unittest.main()
