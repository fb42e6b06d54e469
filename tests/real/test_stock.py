"""playbooks/docker-host.yml on real machines: what it promises holds, a second run changes nothing, and whoever runs it
makes the same of a bare machine.
"""

import concurrent.futures
import contextlib
import pathlib
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.cloud import bare, config, peer
from tests.cloud.server import Server
from tests.real import image, stock
from tests.real.pki import Authority
from tests.real.wait import wait_for

# Who prepares the two machines.
RUNNERS = {"a": stock.by_ansible, "b": stock.by_berth}
CERTIFICATES = ["Bring the engine's certificate", "Bring the key of the engine's certificate",
                "Run the engine with this configuration"]
# Files that the playbook makes. Of those that differ from machine to machine only owner and mode are compared.
FILES = r"""
find /etc/berth /etc/docker /etc/systemd/system /etc/systemd/journald.conf.d /etc/sysctl.d /etc/ssh /etc/apt/apt.conf.d \
    /usr/local/sbin ! -type d -printf "%p %m %u %g %l\n" | sort
find /etc/berth /etc/docker /etc/systemd/system /etc/systemd/journald.conf.d /etc/sysctl.d /etc/ssh /etc/apt/apt.conf.d \
    /usr/local/sbin -type f ! -name "*.pem" ! -name "ssh_host_*" ! -name host.conf ! -name key.json -exec sha256sum {} + | sort -k 2
grep -v HOST_NAME /etc/berth/host.conf"""
RULES = r"""for t in iptables ip6tables; do $t-save | sed "/^#/d; s/ \[[0-9:]*\]$//"; done"""
UNITS = r"""systemctl list-unit-files --no-legend; systemctl list-timers --all --output=json | tr , "\n" | grep unit"""
PACKAGES = "dpkg-query --show"
PORT = 18080
IP = ".NetworkSettings.Networks.bridge.IPAddress"
cloud = None


class Cloud:
    """Two machines, each prepared twice, both at once; what was seen on the way is kept."""

    def __init__(self):
        self.ends = contextlib.ExitStack()
        with contextlib.ExitStack() as built:
            self.dir = tempfile.mkdtemp(prefix="berth-stock-")
            built.callback(shutil.rmtree, self.dir)
            self.server = Server(config.build(clock="running", throttle={}, machines=bare.MACHINES, life=bare.LIFE))
            built.callback(self.server.close)
            ec2 = peer.client(self.server.url)
            built.callback(ec2.close)
            self.a, self.b = (stock.Machine(ec2, self.dir, name) for name in "ab")
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                self.seen = dict(zip("ab", pool.map(self.prepare, (self.a, self.b))))
            archive = image.build(self.dir)
            for machine in (self.a, self.b):
                machine.docker("load", "--input", archive)
            self.ends = built.pop_all()

    def prepare(self, machine):
        run = RUNNERS[machine.name]
        machine.wait_for_ssh()
        if run is stock.by_ansible:
            stock.packages_for_ansible(machine)
        before = set(machine.ssh(PACKAGES).splitlines())
        first = run(machine)
        machine.pin(machine.final[1])
        second = run(machine)
        new = sorted(set(machine.ssh(PACKAGES).splitlines()) - before)
        return {"first": first, "second": second, "packages": new, "files": machine.ssh(FILES), "rules": machine.ssh(RULES),
                "units": machine.ssh(UNITS)}

    def elsewhere(self):
        """Words before a command: it runs at another address of the machines' network, which is not the orchestrator's."""
        return ["ip", "netns", "exec", self.server.cloud.machines.network.router]


def setUpModule():
    global cloud
    cloud = Cloud()


def tearDownModule():
    if cloud is not None:
        cloud.ends.close()


def connects(address, port, words=()):
    """Whether somebody answers at once."""
    script = "import socket, sys\nsocket.create_connection((sys.argv[1], int(sys.argv[2])), 2)"
    done = subprocess.run([*words, sys.executable, "-c", script, address, str(port)], stdin=subprocess.DEVNULL, capture_output=True,
                          check=False)
    return done.returncode == 0


class Prepared(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.a, self.b = cloud.a, cloud.b

    def run_container(self, *words):
        """Its id; removed at the end."""
        one = self.a.docker("run", "--detach", *words)
        self.addCleanup(self.a.docker, "rm", "--force", one)
        return one

    def field(self, container, path):
        return self.a.docker("inspect", "--format", "{{%s}}" % path, container)

    def test_a_second_run_changes_nothing(self):
        for name in "ab":
            self.assertIn("Configure the engine", cloud.seen[name]["first"])
            self.assertEqual(cloud.seen[name]["second"], [])

    def test_both_machines_are_the_same(self):
        for what in ("first", "packages", "files", "rules", "units"):
            self.assertTrue(cloud.seen["a"][what])
            self.assertEqual(cloud.seen["a"][what], cloud.seen["b"][what], what)

    def test_the_host_key_is_the_final_one_and_the_only_one(self):
        for machine in (self.a, self.b):
            shown = subprocess.run(["ssh-keyscan", "-t", "ed25519,ecdsa,rsa", machine.address], capture_output=True, text=True,
                                   check=True).stdout
            keys = [line.split()[1:] for line in shown.splitlines() if not line.startswith("#")]
            self.assertEqual(keys, [machine.final[1].split()[:2]])
            settings = machine.ssh("sshd -T").splitlines()
            self.assertTrue({"passwordauthentication no", "kbdinteractiveauthentication no"} <= set(settings))
            self.assertEqual(machine.ssh("hostname").strip(), f"host-{machine.name}")

    def test_the_api_asks_for_a_certificate_of_the_pool(self):
        self.assertEqual(self.a.version(self.a.client), 200)
        stranger = Authority(str(self.a.dir / "other")).client("client")
        for nobody in (None, stranger):
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                self.a.version(nobody)

    def test_who_is_not_the_orchestrator_reaches_nothing(self):
        self.run_container("--publish", f"{PORT}:8080", image.NAME)
        wait_for(lambda: connects(self.a.address, PORT), "a published port, from the orchestrator")
        self.assertTrue(connects(self.a.address, stock.ENGINE_PORT))
        for port in (PORT, stock.ENGINE_PORT, 22):
            self.assertFalse(connects(self.a.address, port, cloud.elsewhere()))

    def test_a_container_is_not_reached_past_its_ports(self):
        """By a neighbour who sends to its own address, through the host."""
        one = self.run_container("--publish", f"{PORT}:8080", image.NAME)
        wait_for(lambda: connects(self.a.address, PORT), "a published port")
        address = self.field(one, IP)
        way = ["ip", "-netns", cloud.server.cloud.machines.network.router, "route"]
        subprocess.run([*way, "add", address, "via", self.a.address], check=True)
        self.addCleanup(subprocess.run, [*way, "delete", address], check=True)
        self.assertFalse(connects(address, 8080, cloud.elsewhere()))
        self.a.ssh("iptables -I BERTH-FORWARD -j RETURN")
        self.assertTrue(connects(address, 8080, cloud.elsewhere()))
        self.a.ssh("berth-host firewall")

    def test_what_containers_reach(self):
        """Another container and the world outside; not the metadata service, nor the host, nor its engine."""
        peer_address = self.field(self.run_container("--publish", f"{PORT}:8080", image.NAME), IP)
        outside = socket.create_server((f"{self.a.prefix}.1", 0))
        self.addCleanup(outside.close)
        gateway = self.a.docker("network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", "bridge")
        own = self.a.docker("network", "create", "other")
        self.addCleanup(self.a.docker, "network", "rm", own)
        threading.Thread(target=self.accept, args=(outside,), daemon=True).start()
        for network in ("bridge", "other"):
            def reaches(address, port, network=network):
                return self.a.docker("run", "--rm", "--network", network, image.NAME, "nc", "-w", "2", address, str(port),
                                     check=False) is not None
            self.assertTrue(reaches(f"{self.a.prefix}.1", outside.getsockname()[1]))
            self.assertEqual(reaches(peer_address, 8080), network == "bridge")
            for place in (("169.254.169.254", 80), (gateway, 22), (gateway, stock.ENGINE_PORT), (self.a.address, 22),
                          (self.a.address, stock.ENGINE_PORT), (self.a.address, PORT)):
                self.assertFalse(reaches(*place), f"{place} from {network}")
        self.a.ssh("timeout 2 bash -c \"exec 3<>/dev/tcp/169.254.169.254/80\"")

    @staticmethod
    def accept(listener):
        with contextlib.suppress(OSError):
            while True:
                listener.accept()[0].close()

    def test_memory_is_limited(self):
        one = self.run_container("--memory", "32m", "--memory-swap", "32m", image.NAME,
                                 "dd", "if=/dev/zero", "of=/dev/null", "bs=256M", "count=1")
        self.assertEqual(self.a.docker("wait", one), "137")

    def test_the_proof_can_fail(self):
        """It tells what a container reaches, and that is what the run ends with."""
        for hole, words in (("BERTH-CONTAINER -d 169.254.169.254 -j ACCEPT", "can reach the metadata service"),
                            ("BERTH-HOST -p tcp --dport 22 -j ACCEPT", f"{self.a.address} 22")):
            self.a.ssh(f"iptables -I {hole}")
            self.assertIn(words, self.a.ssh("! berth-probe 2>&1"))
            self.assertEqual(self.a.ssh("berth-host firewall"), "loaded the packet filter\n")
        self.assertEqual(self.a.docker("images", "--quiet", "--filter", "dangling=true"), "")

    def test_new_certificates_do_not_touch_containers(self):
        for machine in (self.a, self.b):
            one = machine.docker("run", "--detach", image.NAME, "sleep", "1000")
            before = machine.docker("inspect", "--format", "{{.State.Pid}} {{.State.StartedAt}}", one)
            certificate = machine.renew("second")
            self.assertNotEqual(machine.certificate(), certificate)
            self.assertEqual(RUNNERS[machine.name](machine, "--tags", "certificates"), CERTIFICATES)
            self.assertEqual(machine.certificate(), certificate)
            self.assertEqual(machine.docker("inspect", "--format", "{{.State.Pid}} {{.State.StartedAt}}", one), before)
            machine.docker("rm", "--force", one)

    def test_the_packet_filter_comes_back_at_a_boot(self):
        self.a.ec2.stop_instances(InstanceIds=[self.a.id])
        wait_for(lambda: self.a.state() == "stopped", "stopped", 60)
        self.a.ec2.start_instances(InstanceIds=[self.a.id])
        self.a.wait_for_ssh()
        wait_for(self.a.engine_answers, "the engine", 60)
        self.assertEqual(self.a.ssh(RULES), cloud.seen["a"]["rules"])

    def test_the_first_upgrade_installs_what_upgrades(self):
        self.assertIsNone(self.b.ssh("command -v unattended-upgrade python3", check=False))
        self.b.ssh("systemctl start apt-daily-upgrade.service; command -v unattended-upgrade")

    def test_zz_the_dead_man(self):
        """The machine stays while its engine is used, and goes when an hour has passed in which it was not."""
        self.b.ssh("systemctl is-active berth-deadman.timer")
        look = "systemctl start berth-deadman.service"
        self.b.ssh(look)
        long_ago = "read count at </run/berth/contact; echo $count $((at - 4000)) >/run/berth/contact; "
        self.assertEqual(self.b.version(self.b.client), 200)
        self.b.ssh(long_ago + look)
        self.assertTrue(self.b.engine_answers())
        self.b.ssh(look)
        self.assertFalse(connects(self.b.address, stock.ENGINE_PORT, cloud.elsewhere()))
        self.b.ssh(long_ago + look, check=False)
        wait_for(lambda: self.b.state() == "terminated", "powered off, and so terminated", 60)


if __name__ == "__main__":
    reason = bare.why_not("ansible-playbook", "docker")
    if reason:
        print(f"skipped: {reason}")
        sys.exit(77)
    unittest.main()
