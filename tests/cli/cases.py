"""What the tests of the command line share: a fake daemon for each test, and berth before it."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

from . import fake

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEADLINE_S = 60


def program():
    """berth: $BERTH, or the newest build below build/."""
    named = os.environ.get("BERTH")
    if named:
        return named
    found = sorted(ROOT.glob("build/*/berth"), key=lambda p: p.stat().st_mtime)
    if not found:
        raise FileNotFoundError("no berth below build/; build it, or set BERTH")
    return str(found[-1])


class Result:
    def __init__(self, process):
        self.code, self.out, self.err = process.returncode, process.stdout, process.stderr

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit code {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class CliTest(unittest.TestCase):
    """Each test has a daemon, a home and an environment of its own."""

    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="berth-cli-")
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.fake = fake.Fake()
        self.addCleanup(self.fake.close)
        self.env = {"PATH": os.environ["PATH"], "HOME": self.home, "BERTH_URL": self.fake.url, "BERTH_TOKEN": fake.TOKEN,
                    "LC_ALL": "C.UTF-8"}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]

    def file(self, name, text, mode=0o600):
        path = os.path.join(self.home, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def start(self, *words, **options):
        return subprocess.Popen([program(), *words], env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, **options)

    def interrupt(self, process):
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=DEADLINE_S)
        return process.returncode, out, err

    def berth(self, *words, code=0, stdin=None, text=True):
        """Runs berth; any other exit code is a failure."""
        process = subprocess.run([program(), *words], env=self.env, input=stdin, capture_output=True, text=text,
                                 timeout=DEADLINE_S, check=False)
        result = Result(process)
        self.assertEqual(result.code, code, f"berth {' '.join(words)}: {result}")
        return result

    def assert_mentions(self, text, *words):
        for word in words:
            self.assertIn(word, text)
