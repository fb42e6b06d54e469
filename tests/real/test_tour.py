"""README.md's tour is true: every command in its console blocks is run, every output compared.

In a block, a line that begins with "$ " is a command (with what follows up to END, if it has a here
document), and the lines after it are what it prints, on stdout and stderr.  "…" stands for any text within
a line, a line of "…" alone for any lines; how much white space there is does not matter.  A command may fail
only if the next one is "echo $?".

By hand, `python3 -m tests.real.test_tour --show` prints the tour with what each command printed.
"""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from . import cases, elastic, engines
from .daemon import ROOT, free_port
from .wait import wait_for

RUN_DEADLINE_S = 300.0  # the machines' file system may have to be made
COMMAND_DEADLINE_S = 150.0
AGREE_DEADLINE_S = 15.0
READY = "==> Ctrl-C "
STARTS = ("./dev run", "./dev cloud")
EXPORT = re.compile(r"^\s+(export .*)$", re.MULTILINE)

# What only looks may be asked again: an instance takes a moment from one state to the next.
LOOKS = re.compile(r"(\w+=\S+ )?(berth (status|ps|show|stats|explain|events|doctor|logs|\w+ ls|host log|pool \w+|api GET)\b|curl )")


class Step:
    """A command of the tour, and what it shall print."""

    def __init__(self, line, command):
        self.line = line
        self.command = command
        self.expected = []

    def pattern(self):
        """A regular expression for the whole output."""
        lines = []
        for line in self.expected:
            if line.strip() == "…":
                lines.append(r"(?:[^\n]*\n)*?")
                continue
            words = re.sub(r"\s+", " ", line.strip())
            lines.append(".+?".join(re.escape(part) for part in words.split("…")) + r"\n")
        return "".join(lines)


def tour(text):
    """The steps in the text's console blocks."""
    steps, here, inside = [], None, False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            inside = line.strip() == "```console"
            here = None
        elif inside and here:
            steps[-1].command += "\n" + line
            here = None if line == here else here
        elif inside and line.startswith("$ "):
            steps.append(Step(number, line[2:]))
            opened = re.search(r"<<'(\w+)'", line)
            here = opened and opened.group(1)
        elif inside:
            steps[-1].expected.append(line)
    return steps


def part(number):
    """The README's steps from the number-th ./dev command on, up to the next."""
    steps = tour((ROOT / "README.md").read_text(encoding="utf-8"))
    starts = [i for i, step in enumerate(steps) if step.command in STARTS] + [len(steps)]
    return steps[starts[number]:starts[number + 1]]


def plain(output):
    """The output with single spaces and without empty ends."""
    lines = [re.sub(r"\s+", " ", line.strip()) for line in output.splitlines()]
    return "".join(line + "\n" for line in lines)


class Shell:
    """One bash that carries out one command after the other."""

    MARK = "--- end of command:"

    def __init__(self, directory, environment):
        self._process = subprocess.Popen(["bash", "--noprofile", "--norc"], stdin=subprocess.PIPE, text=True,
                                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=directory,
                                         env=environment, start_new_session=True)
        self._status = 0

    def run(self, command):
        """Its output and exit status."""
        timer = threading.Timer(COMMAND_DEADLINE_S, self._process.kill)
        timer.start()
        self._process.stdin.write(f"(exit {self._status})\n{command}\necho \"\n{self.MARK} $?\"\n")
        self._process.stdin.flush()
        output = ""
        for line in self._process.stdout:
            if line.startswith(self.MARK):
                timer.cancel()
                self._status = int(line.split()[-1])
                return output.removesuffix("\n"), self._status
            output += line
        timer.cancel()
        raise AssertionError(f"no end within {COMMAND_DEADLINE_S:g} s: {command}\n{output}")

    def close(self):
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()


class Place:
    """A scratch folder in which the tour happens, with a port and a data directory of its own."""

    def __init__(self):
        self.cloud_port = str(free_port())
        self.directory = tempfile.mkdtemp(prefix="berth-tour-")
        self.data = os.path.join(self.directory, "data")
        self.port = str(free_port())
        kept = {k: v for k, v in os.environ.items() if not k.startswith("BERTH") and k != "DOCKER_HOST"}
        self.environment = {**kept, "BERTH_DATA": self.data, "BERTH_PORT": self.port,
                            "BERTH_CLOUD_PORT": self.cloud_port, "HOME": self.directory}
        self.shell = Shell(self.directory, self.environment)
        self.log = os.path.join(self.directory, "run.log")
        self._run = None

    def here(self, text):
        """What the README says, as it is in this place."""
        text = text.replace("$PWD/build", f"{ROOT}/build").replace("$PWD/data", self.data)
        text = text.replace(":7070", ":" + self.port).replace(":7080", ":" + self.cloud_port)
        return re.sub(r"(?<![\w/])data/", self.data + "/", text)

    def start(self, command):
        """./dev run or ./dev cloud, until it says that it is ready; what it printed until then."""
        with open(self.log, "wb") as log:
            self._run = subprocess.Popen([str(ROOT / "dev"), command.split()[1]], stdin=subprocess.DEVNULL, stdout=log,
                                         stderr=log, env=self.environment, start_new_session=True)

        def ready():
            if self._run.poll() is not None:
                raise AssertionError(f"{command} ended:\n{self.said()}")
            return READY in self.said()
        wait_for(ready, lambda: f"{command} is ready; it said\n{self.said()}", RUN_DEADLINE_S)
        return self.said()

    def said(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def stop(self):
        """As Ctrl-C; its exit status."""
        if self._run is None or self._run.poll() is not None:
            return None
        self._run.send_signal(signal.SIGTERM)
        return self._run.wait(timeout=180)

    def close(self):
        self.shell.close()
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


def perform(place, step, failing):
    """Carries a step out until its output is as expected; what it printed last, and whether it agrees."""
    command = place.here(step.command)
    pattern = re.compile(place.here(step.pattern()))
    end = time.monotonic() + AGREE_DEADLINE_S
    while True:
        output, status = (place.start(command), 0) if command in STARTS else place.shell.run(command)
        agrees = bool(pattern.fullmatch(plain(output))) and (failing or status == 0)
        if agrees or not LOOKS.match(command) or time.monotonic() >= end:
            return output, agrees
        time.sleep(0.1)


class Tour(unittest.TestCase):
    maxDiff = None

    def test_every_command_prints_what_the_readme_says(self):
        steps = part(0)
        self.assertGreater(len(steps), 30)
        self.walk(steps)

    def test_the_elastic_pool(self):
        """Its machines are given back, by the books of the cloud."""
        reason = elastic.why_not()
        if reason:
            self.skipTest(reason)
        steps = part(1)
        self.assertGreater(len(steps), 10)
        self.assertRegex(self.walk(steps), r"(?m)^2 launched, 0 alive, 0 launched without tags, 0 volumes left behind")

    def walk(self, steps):
        """All of one part; what its ./dev command said."""
        place = Place()
        self.addCleanup(place.close)
        for step, following in zip(steps, steps[1:] + [None]):
            failing = following is not None and following.command == "echo $?"
            output, agrees = perform(place, step, failing)
            if step.command in STARTS and agrees:
                self.assertIn(place.here(following.command), EXPORT.findall(output), "the line for the other terminal")
            self.assertTrue(agrees, f"README.md:{step.line}: $ {step.command}\nprinted\n{output}\nnot\n"
                            + "\n".join(step.expected))
        self.assertEqual(place.stop(), 0, f"{steps[0].command} ended with 0")
        left = subprocess.run(["pgrep", "-f", place.data], capture_output=True, text=True, check=False)
        self.assertEqual(left.stdout, "", "nothing runs on")
        return place.said()

    def test_a_difference_is_seen(self):
        step = tour("```console\n$ berth ps\nID  NAME\ni-…  web\n…\nend\n```\n")[0]
        for output, same in (("ID NAME\ni-1 web\nend\n", True), ("ID  NAME\ni-1 web\nx\ny\nend\n", True),
                             ("ID NAME\ni-1 web\n", False), ("ID NAME\ni- web\nend\n", False),
                             ("ID NAME\ni-1 wet\nend\n", False), ("ID NAME\ni-1 web\nend\nmore\n", False)):
            with self.subTest(output):
                self.assertEqual(bool(re.fullmatch(step.pattern(), plain(output))), same)


def show():
    """The whole tour with what is really printed, for writing it; with --pool that of the elastic pool."""
    place = Place()
    try:
        for step in part(int("--pool" in sys.argv)):
            if "--retry" in sys.argv:
                output, agrees = perform(place, step, True)
            else:
                command = place.here(step.command)
                output, agrees = place.start(command) if command in STARTS else place.shell.run(command)[0], True
            print(f"{'' if agrees else '(differs) '}$ {step.command}\n{output}", flush=True)
    finally:
        place.close()


if __name__ == "__main__":
    if "--show" in sys.argv:
        show()
    else:
        cases.main()
