"""What the stock playbook's scripts decide where the machines of the tests can't show it: control groups of either version,
clocks, engines that can't do what a host's must. Everything that they ask is a fake, in mounts of their own.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILES = ROOT / "playbooks/files"
# Found before the machine's own: it begins the path of both scripts.
FAKES = {
    "docker": r"""case "$*" in
        info*) echo "${LIMITS:-memory=true cpu=true processes=true}" ;;
        inspect*) echo 172.17.0.2 ;;
        import*) cat >/dev/null ;;
        kill*) [ -z "${MUTE:-}" ] ;;
        run*--interactive*) sed -n "1p; /${REACHED:-^none}/p" ;;
        run*--memory*) exec "${@: -3}" ;;
    esac""",
    "dd": "kill -KILL $$",
    "sshd": "echo ${PORT-port 22}",
    "systemd-detect-virt": "exit 1",
    "systemctl": r"""case "$1" in
        cat) [[ " ${UNITS:-} " == *" $2 "* ]] ;;
        is-active) [[ " ${ACTIVE:-} " == *" ${*: -1} "* ]] ;;
        show) echo inactive ;;
        *) ;;
    esac""",
    "apt-get": ":",
}
MOUNTS = """mount --bind {0}/fakes /usr/local/sbin
mount --bind {0}/groups /sys/fs/cgroup
mount --bind {0}/os-release /etc/os-release
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system
exec /bin/sh "$@"
"""
UBUNTU = "ID=ubuntu\nID_LIKE=debian\n"


class ScriptTest(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="berth-scripts-"))
        self.addCleanup(shutil.rmtree, self.dir)
        for name, text in FAKES.items():
            self.write(f"fakes/{name}", f"#!/bin/bash\n{text}\n").chmod(0o755)
        self.write("os-release", UBUNTU)

    def write(self, name, text):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def groups(self, version, kills):
        """A container's own control groups, as it sees them, after so many of its processes were killed."""
        if version == 2:
            self.write("groups/memory.events", f"low 0\nhigh 0\nmax 31\noom 1\noom_kill {kills}\noom_group_kill 0\n")
        else:
            self.write("groups/memory/memory.oom_control", f"oom_kill_disable 0\nunder_oom 0\noom_kill {kills}\n")

    def run_script(self, *words, **environment):
        """(exit code, what it said on standard output, and on standard error)"""
        (self.dir / "groups").mkdir(exist_ok=True)
        done = subprocess.run(["unshare", "--mount", "--propagation", "private", "/bin/sh", "-ec", MOUNTS.format(self.dir), "sh", *words],
                              env={**os.environ, **environment}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60, check=False)
        return done.returncode, done.stdout, done.stderr

    def probe(self, **environment):
        """"" if the host passes, or what the probe says of it."""
        code, _, said = self.run_script(str(FILES / "berth-probe.sh"), **environment)
        self.assertEqual(code == 0, "berth-probe: " not in said, said)
        return "" if code == 0 else said

    def host(self, *words, **environment):
        return self.run_script(str(FILES / "berth-host.sh"), *words, **environment)

    def test_a_limit_is_proved_by_the_kernels_count_of_either_version(self):
        for version in (1, 2):
            with self.subTest(version):
                shutil.rmtree(self.dir / "groups", ignore_errors=True)
                self.groups(version, 1)
                self.assertEqual(self.probe(), "")
                self.groups(version, 0)
                self.assertIn("was not killed for it (its exit code and kills: 137 0)", self.probe())

    def test_without_control_groups_nothing_is_proved(self):
        self.assertIn("kills: unknown", self.probe())
        self.assertIn("do not limit everything: memory=false", self.probe(LIMITS="memory=false cpu=true processes=true"))

    def test_an_engine_that_can_not_signal_is_refused(self):
        self.groups(2, 1)
        self.assertIn("can't send signals", self.probe(MUTE="1"))

    def test_where_sshd_listens_must_be_known(self):
        self.groups(2, 1)
        self.assertIn("does not say where", self.probe(PORT=""))
        self.assertIn("can reach this machine", self.probe(PORT="port 2222", REACHED=" 2222$"))

    def test_the_clock_that_is_there_is_kept(self):
        self.assertEqual(self.host("time", UNITS="chrony.service", ACTIVE="chrony"), (0, "", ""))
        self.assertEqual(self.host("time", UNITS="systemd-timesyncd.service"), (0, "started systemd-timesyncd\n", ""))
        self.assertEqual(self.host("time"), (0, "installed chrony\n", ""))

    def test_a_machine_that_can_not_be_a_host(self):
        def refused(**environment):
            code, _, said = self.host("check", **environment)
            self.assertEqual(code, 1)
            return said
        self.assertIn("berth_orchestrator is empty", refused())
        self.assertIn("snap remove docker", refused(UNITS="snap.docker.dockerd.service"))
        self.write("os-release", "ID=fedora\n")
        self.assertIn("this machine runs fedora", refused())


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("skipped: mounts of one's own take root")
        sys.exit(77)
    unittest.main()
