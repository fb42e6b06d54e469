"""Ansible and Berth agree: each playbook of tests/playbooks is run by both on this machine, into two folders, twice.

Compared are how each task ended and every file that is there afterwards: contents, type, mode, owner, target.
What may differ is listed below, by name, with why.
"""

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

SOURCE = os.environ.get("BERTH_SOURCE", os.getcwd())
PLAYBOOKS = os.path.join(SOURCE, "tests", "playbooks")
DEADLINE_S = 240

# Tasks that change something each time they run, whoever runs them.
ALWAYS = {
    "files": {"the same with a mode", "content without a mode", "attributes only", "a template", "recursion", "touched",
              "removed", "setgid goes away", "setgid went away", "folders on the way", "a folder"},
}


def setUpModule():
    if os.geteuid() != 0:
        raise unittest.SkipTest("owners can be compared by root only")
    if not shutil.which("ansible-playbook"):
        raise unittest.SkipTest("there is no ansible-playbook")
    if "PLAY" not in os.environ:
        raise unittest.SkipTest("the program play is not named")


def by_ansible(playbook, root, tag=None):
    """[(task, how it ended)]"""
    command = ["ansible-playbook", "-c", "local", "-i", "localhost,", "-e", json.dumps({"root": root}), playbook]
    command += ["--tags", tag] if tag else []
    config = os.path.join(root, os.pardir, "ansible.cfg")
    with open(config, "a", encoding="utf-8"):
        pass
    environment = {**os.environ, "ANSIBLE_STDOUT_CALLBACK": "json", "ANSIBLE_NOCOLOR": "1", "ANSIBLE_PIPELINING": "1",
                   "ANSIBLE_LOCAL_TEMP": os.path.join(root, os.pardir, "tmp"), "ANSIBLE_CONFIG": config}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    begin = done.stdout.find("{")
    if begin < 0:
        raise AssertionError(done.stdout + done.stderr)
    ends = []
    for play in json.loads(done.stdout[begin:])["plays"]:
        for task in play["tasks"]:
            result = task["hosts"].get("localhost")
            if result is not None:
                end = next((word for word in ("failed", "skipped", "changed") if result.get(word)), "ok")
                ends.append((task["task"]["name"], end))
    return ends


def by_berth(playbook, root, tag=None):
    command = [os.environ["PLAY"], playbook, json.dumps({"root": root})] + (["--tag", tag] if tag else [])
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    if done.returncode == 1:
        raise AssertionError(done.stderr)
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    return [(step["step"], step["end"]) for step in steps]


def tree(root):
    """{path: (type and mode, owner, group, content)}"""
    found = {}
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            content = None
            if stat.S_ISLNK(status.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(status.st_mode):
                with open(path, "rb") as file:
                    content = file.read().replace(root.encode(), b"ROOT")
            found[os.path.relpath(path, root)] = (oct(status.st_mode), status.st_uid, status.st_gid, content)
    return found


class PlaybookTest(unittest.TestCase):
    maxDiff = None

    def agree(self, name, tag=None, times=("first", "second")):
        with tempfile.TemporaryDirectory(dir=os.environ.get("BERTH_TMP")) as folder:
            roots = [os.path.join(folder, who) for who in ("a", "b")]
            for root in roots:
                os.mkdir(root)
            playbook = os.path.join(PLAYBOOKS, name + ".yml")
            for time in times:
                ends = by_ansible(playbook, roots[0], tag), by_berth(playbook, roots[1], tag)
                self.assertEqual(*ends, f"{name}, the {time} time")
                self.assertEqual(tree(roots[0]), tree(roots[1]), f"{name}, the {time} time")
            return ends[1]

    def test_files(self):
        again = self.agree("files")
        surprising = [task for task, end in again if end == "changed" and task not in ALWAYS["files"]]
        self.assertEqual(surprising, [])

    def test_commands(self):
        self.agree("commands")

    def test_handlers(self):
        self.agree("handlers")

    def test_facts(self):
        self.agree("facts")

    def test_units(self):
        self.agree("systemd")

    @unittest.skipUnless(shutil.which("apt-get"), "there is no apt-get")
    def test_packages(self):
        self.agree("apt", times=("only",))

    def test_tags(self):
        for tag in (None, "one", "two", "none"):
            with self.subTest(tag=tag):
                self.agree("tags", tag, ("only",))


if __name__ == "__main__":
    os.makedirs(os.environ.get("BERTH_TMP", tempfile.gettempdir()), exist_ok=True)
    program = unittest.main(exit=False, verbosity=2)
    if program.result.testsRun == 0 and program.result.wasSuccessful():
        sys.exit(77)
    sys.exit(not program.result.wasSuccessful())
