"""On a terminal: tables that fit, colours, questions, progress; and the completion of the shells."""

import fcntl
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import termios
import time
import unicodedata
import unittest

from . import cases


def width_of(line):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


class Terminal(cases.CliTest):
    def setUp(self):
        super().setUp()
        self.env["TERM"] = "xterm"

    def on_terminal(self, *words, columns=80, answer=None, keys=None):
        """What berth shows on a terminal of so many columns, and its exit code. keys: typed once something is shown."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen([cases.program(), *words], env=self.env, stdin=slave, stdout=slave, stderr=slave,
                                   start_new_session=True,
                                   preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        if answer:
            os.write(master, answer)
        shown, deadline = b"", time.monotonic() + cases.DEADLINE_S
        while time.monotonic() < deadline:
            if select.select([master], [], [], 0.05)[0]:
                try:
                    data = os.read(master, 65536)
                except OSError:
                    break
                if not data:
                    break
                shown += data
                if keys:
                    os.write(master, keys)
                    keys = None
        os.close(master)
        return shown.decode().replace("\r\n", "\n"), process.wait(cases.DEADLINE_S)


class PlanTest(Terminal):
    def test_nothing_is_done_without_a_yes(self):
        self.fake.add_pool()
        shown, code = self.on_terminal("pool", "plan", "default", "--apply", answer=b"n\n")
        self.assert_mentions(shown, "its life of 4 hours ends", "Carry out the 2 actions of round 1 now? [y/N]",
                             "nothing was done")
        self.assertEqual((code, self.fake.asked("POST")), (1, []))
        self.assertEqual(self.on_terminal("pool", "plan", "default", "--apply", answer=b"y\n")[1], 0)
        self.assertEqual(len(self.fake.asked("POST")), 1)


class TableTest(Terminal):
    def test_tables_fit_the_terminal(self):
        self.env["NO_COLOR"] = "1"
        row = self.fake.add_instance(name="a-name-that-is-rather-long", owner="日本語の所有者日本語の所有者",
                                     blueprint="another-long-name-of-something", reason="x" * 200)
        for columns in (40, 60, 80, 200):
            for form in ("table", "wide"):
                shown, code = self.on_terminal("ps", "-o", form, columns=columns)
                self.assertEqual(code, 0)
                self.assertIn(row["id"], shown)
                for line in shown.splitlines():
                    self.assertLessEqual(width_of(line), columns, line)
        self.assertIn("…", shown)

    def test_a_pipe_gets_everything(self):
        self.fake.add_instance(reason="x" * 200)
        self.assertIn("x" * 200, self.berth("ps", "-o", "wide").out)

    def test_colours_on_a_terminal_only(self):
        self.fake.add_instance()
        self.assertIn("\x1b[32mrunning\x1b[0m", self.on_terminal("ps")[0])
        self.assertNotIn("\x1b", self.berth("ps").out)
        self.env["NO_COLOR"] = "1"
        self.assertNotIn("\x1b", self.on_terminal("ps")[0])

    def test_an_empty_table_says_what_to_do(self):
        self.assertIn("apply", self.on_terminal("blueprint", "ls")[0])
        self.assertIn("NAME", self.berth("blueprint", "ls").out)

    def test_escape_sequences_in_json_do_not_reach_a_terminal(self):
        self.fake.add_instance(reason="\x9b31mred")
        shown, _ = self.on_terminal("ps", "-o", "json")
        self.assertNotIn("\x9b", shown)


class QuestionTest(Terminal):
    def test_removing_asks(self):
        self.fake.add_blueprint("demo")
        shown, code = self.on_terminal("blueprint", "rm", "demo", answer=b"n\n")
        self.assertEqual(code, 1)
        self.assert_mentions(shown, "Remove the blueprint demo? [y/N]", "nothing was done")
        self.assertEqual(len(self.fake.rows["blueprints"]), 1)
        self.assertEqual(self.on_terminal("blueprint", "rm", "demo", answer=b"y\n")[1], 0)
        self.assertEqual(self.fake.rows["blueprints"], [])

    def test_yes_does_not_ask(self):
        self.fake.add_host("rack1")
        shown, code = self.on_terminal("host", "drain", "rack1", "--yes")
        self.assertEqual(code, 0)
        self.assertNotIn("[y/N]", shown)


class ProgressTest(Terminal):
    def test_waiting_shows_progress_and_takes_it_away(self):
        self.fake.add_blueprint("demo")
        shown, code = self.on_terminal("run", "demo", "--wait")
        self.assertEqual(code, 0)
        self.assert_mentions(shown, "starting", "0 of 1")
        self.assertRegex(shown, r"\r\x1b\[K" + self.fake.rows["instances"][0]["id"] + r"\n$")

    def test_no_progress_without_a_terminal(self):
        self.fake.add_blueprint("demo")
        self.assertEqual(self.berth("run", "demo", "--wait").err, "")

    def test_ctrl_c_leaves_the_wait(self):
        self.fake.add_blueprint("stuck")
        shown, code = self.on_terminal("run", "stuck", "--wait", keys=b"\x03")
        self.assertEqual(code, 130)
        self.assertIn("it goes on", shown)

    def test_watch_draws_over_itself(self):
        self.fake.add_instance()
        shown, code = self.on_terminal("ps", "--watch", keys=b"\x03")
        self.assertEqual(code, 130)
        self.assertTrue(shown.startswith("\x1b[2J\x1b[H"), repr(shown))


class CompletionTest(cases.CliTest):
    def words(self, *words):
        return [line.split("\t")[0] for line in self.berth("__complete", "--", *words).out.splitlines()]

    def bash(self, line):
        script = ('source <("$BERTH_PROGRAM" completion bash); COMP_LINE=$1 COMP_POINT=${#1}; '
                  '_berth 2>/dev/null; printf "%s\\n" "${COMPREPLY[@]}"')
        program = os.path.join(self.home, "berth")
        if not os.path.exists(program):
            os.symlink(cases.program(), program)
        env = {**self.env, "BERTH_PROGRAM": program, "PATH": self.home + ":" + self.env["PATH"]}
        done = subprocess.run(["bash", "-c", script, "bash", line], env=env, capture_output=True, text=True,
                              timeout=cases.DEADLINE_S, check=True)
        return done.stdout.split()

    def test_commands_flags_and_choices(self):
        self.assertEqual(self.words("host", "d"), ["drain"])
        self.assert_mentions(self.words(""), "ps", "host", "blueprint")
        self.assertEqual(self.words("ps", "-o", "j"), ["json"])
        self.assertEqual(self.words("ps", "--output=j"), ["--output=json"])
        self.assertEqual(self.words("ps", "--fil"), ["--filter"])
        self.assertEqual(self.words("completion", "z"), ["zsh"])
        self.assertEqual(self.words("help", "host"), ["host"])
        self.assertEqual(self.words("blueprint", "apply", "-f", ""), [":file"])

    def test_names_come_from_the_daemon(self):
        self.fake.add_host("rack1")
        self.fake.add_blueprint("demo")
        row = self.fake.add_instance(name="web")
        self.assertEqual(self.words("host", "drain", ""), ["rack1"])
        self.assertEqual(self.words("run", ""), ["demo"])
        self.assertEqual(self.words("stop", ""), [row["id"], "web"])
        self.assertEqual(self.words("exec", "web", "l"), [])
        self.fake.add_pool("gpu")
        self.assertEqual(self.words("run", "--pool=g"), ["--pool=gpu"])

    def test_without_a_daemon_it_is_silent(self):
        self.fake.close()
        self.assertEqual(self.berth("__complete", "--", "stop", "").err, "")

    def test_bash(self):
        self.fake.add_host("rack1")
        self.assertEqual(self.bash("berth host dra"), ["drain"])
        self.assertEqual(self.bash("berth host drain "), ["rack1"])
        self.assertEqual(self.bash("berth ps --output=w"), ["wide"])
        self.file("some.yaml", "")
        self.assertEqual(self.bash(f"berth blueprint apply -f {self.home}/so"), [self.home + "/some.yaml"])

    def test_the_scripts_are_good_for_their_shells(self):
        for shell, check in (("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")):
            script = self.file(shell, self.berth("completion", shell).out)
            if shutil.which(shell):
                subprocess.run([shell, check, script], check=True, timeout=cases.DEADLINE_S)
        self.berth("completion", "tcsh", code=2)


class PageTest(cases.CliTest):
    def test_help_man_and_completion_name_the_same_commands_and_flags(self):
        folder = os.path.join(self.home, "pages")
        self.berth("__generate", folder)
        self.assertEqual(sorted(os.listdir(folder)), ["_berth", "berth", "berth.1", "berth.fish", "berthd.8"])
        with open(os.path.join(folder, "berth.1"), encoding="utf-8") as f:
            page = f.read().replace("\\-", "-")
        overview = self.berth("--help").out
        commands = re.findall(r"^  ((?:[a-z]+ )?[a-z]+)  +\S", overview, re.M)
        self.assertGreater(len(commands), 45)
        for command in commands:
            text = self.berth(*command.split(), "--help").out
            flags = re.findall(r"^  (?:-\w, )?--([a-z-]+)", text, re.M)
            self.assertIn(f'.SS "berth {command}', page)
            offered = self.berth("__complete", "--", *command.split(), "--").out
            for flag in flags:
                self.assertIn("--" + flag, page, command)
                self.assertIn("--" + flag + "\t", offered, command)

    def test_man_finds_nothing_to_complain_about(self):
        if not shutil.which("man"):
            self.skipTest("there is no man")
        self.berth("__generate", self.home)
        for page in ("berth.1", "berthd.8"):
            done = subprocess.run(["man", "--warnings", "-l", os.path.join(self.home, page)], capture_output=True, text=True,
                                  env={**self.env, "MANPAGER": "cat", "MANROFFSEQ": ""}, timeout=cases.DEADLINE_S,
                                  check=True)
            self.assertEqual(done.stderr, "")
            self.assertIn("SEE ALSO", re.sub(r".\x08", "", done.stdout))


if __name__ == "__main__":
    unittest.main()
