"""What lies on the way to machines of the tests' cloud: somebody else who answers SSH in their place, or nobody.

    with Impostor(world, address, host_key, user_key) as somebody:  # texts of OpenSSH's formats: private, public
        ...                                                         # who connects to the address meets him
        somebody.was_met(), somebody.was_spoken_to()
    with nobody_answers(world, address): ...

Addresses are public ones (pools with `address: public`); the router, which they lead through, sends elsewhere.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile

from .wait import wait_for

PORT = 2222


def network_of(world):
    return world.cloud.machines.network


def next_address(world):
    """The public address of the next machine that is launched."""
    network = network_of(world)
    return f"{network.outside}{10 + network.next}"


@contextlib.contextmanager
def nobody_answers(world, address):
    """What is sent there by SSH is lost."""
    network = network_of(world)
    rule = ("PREROUTING", "-d", address, "-p", "tcp", "--dport", "22", "-j", "DROP")
    network.at_router("iptables", "-t", "raw", "-A", *rule)
    try:
        yield
    finally:
        network.at_router("iptables", "-t", "raw", "-D", *rule)


class Impostor:
    """An OpenSSH server that would let berthd in, and writes down what it hears."""

    def __init__(self, world, address, host_key, user_key):
        self.network, self.address, self.user_key = network_of(world), address, user_key
        self.folder = tempfile.mkdtemp(prefix="berth-impostor-")
        self.log = os.path.join(self.folder, "log")
        self.rule = ("PREROUTING", "-d", address, "-p", "tcp", "--dport", "22", "-j", "REDIRECT", "--to-ports", str(PORT))
        self.process = None
        self.write("host_key", host_key)
        self.write("authorized_keys", user_key)
        self.write("config", f"Port {PORT}\nListenAddress 0.0.0.0\nHostKey {self.folder}/host_key\nPidFile none\n"
                   f"AuthorizedKeysFile {self.folder}/authorized_keys\nStrictModes no\nUsePAM no\nLogLevel DEBUG1\n")

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(path, 0o600)

    def __enter__(self):
        os.makedirs("/run/sshd", exist_ok=True)  # sshd insists on it
        words = ["nsenter", f"--net=/run/netns/{self.network.router}", shutil.which("sshd", path="/usr/sbin:/sbin"), "-D", "-e",
                 "-f", os.path.join(self.folder, "config")]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            wait_for(lambda: self.heard("Server listening"), lambda: f"sshd listens: {self.text()}")
            self.network.at_router("iptables", "-t", "nat", "-I", *self.rule)
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *args):
        self.network.at_router("iptables", "-t", "nat", "-D", *self.rule)
        self.end()

    def end(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder)

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def heard(self, words):
        return words in self.text()

    def was_met(self):
        """Somebody has connected, exchanged keys, seen the host key, and has left."""
        return self.heard("SSH2_MSG_KEXINIT received") and self.heard("[preauth]") and self.heard("Connection closed by")

    def was_spoken_to(self):
        """Somebody has said who he is, which comes before all that one could want of him."""
        return self.heard("userauth-request") or self.heard("Accepted") or self.heard("Starting session")
