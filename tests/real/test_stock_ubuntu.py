"""playbooks/docker-host.yml on a machine with what Ubuntu's images bring and Debian's do not: systemd listens for sshd, names go
through a resolver of the machine's own, needrestart looks after packages, ufw and unattended-upgrades are there.
"""

import contextlib
import pathlib
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.cloud import bare, config, peer
from tests.cloud.server import Server
from tests.real import image, stock

MACHINES = {**bare.MACHINES, "packages": ["needrestart", "systemd-resolved", "ufw", "unattended-upgrades"]}


class Ubuntu(unittest.TestCase):
    def setUp(self):
        folder = tempfile.mkdtemp(prefix="berth-ubuntu-")
        self.addCleanup(shutil.rmtree, folder)
        server = self.enterContext(contextlib.closing(Server(config.build(clock="running", throttle={}, machines=MACHINES,
                                                                          life=bare.LIFE))))
        ec2 = self.enterContext(contextlib.closing(peer.client(server.url)))
        self.machine = stock.Machine(ec2, folder, "u", stock.UBUNTU)
        self.machine.wait_for_ssh()
        self.archive = image.build(folder)

    def test_it_becomes_a_host(self):
        machine = self.machine
        self.assertIn("Install the engine", stock.by_berth(machine))
        machine.pin(machine.final[1])
        self.assertEqual(stock.by_berth(machine), [])
        self.assertIn("Ubuntu 24.04", machine.ssh(". /etc/os-release; echo $PRETTY_NAME"))
        # It runs once packages were unpacked, and then clears this away: it was held.
        machine.ssh("test -e /run/needrestart/unpacked")
        machine.docker("load", "--input", self.archive)
        self.assertNotIn("127.0.0.53", machine.docker("run", "--rm", image.NAME, "cat", "/etc/resolv.conf"))
        machine.ssh("ufw allow 22/tcp && ufw --force enable")
        # What asks sshd works while there is none, since systemd listens; and rules of others stay behind ours.
        no_sshd = "systemctl stop ssh.service; test ! -e /run/sshd; "
        self.assertEqual(machine.ssh(no_sshd + "berth-host firewall; berth-host seal"), "")
        machine.ssh(no_sshd + "berth-probe")
        self.assertTrue(machine.engine_answers())
        # A reload would have cost it the socket.
        self.assertEqual(machine.ssh("journalctl --unit ssh --grep \"^fatal\" --output cat || true"), "")


if __name__ == "__main__":
    reason = bare.why_not("docker")
    if reason:
        print(f"skipped: {reason}")
        sys.exit(77)
    unittest.main()
