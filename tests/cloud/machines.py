"""What stands behind an instance.  A kind of machines is a class with the methods of Paper; each returns at once and
does what takes time by itself.  The instance is the caller's; a machine reads of it id, user_data, public_key,
private_ip, image, kind (the machine type) and mib.
"""

import ipaddress

from .errors import ApiError
from .real import Real


class Paper:
    """No machine: an address of the network, and a line on the console. With the default network each address is one
    of this machine's loopback: a test's own sshd may listen there, and the metadata service knows who asks."""

    def __init__(self, settings):
        self.network = ipaddress.ip_network(settings["network"])
        self.used = {}  # address -> instance id
        self.next = 0
        self.consoles = {}

    def address(self, instance_id):
        """A free address for the machine's whole life; the one given up longest ago comes last."""
        size = self.network.num_addresses - 11
        for _ in range(size):
            address = str(self.network[10 + self.next])
            self.next = (self.next + 1) % size
            if address not in self.used:
                self.used[address] = instance_id
                return address
        raise ApiError("InsufficientFreeAddressesInSubnet", "There are not enough free addresses in the subnet")

    def public(self, address):
        """The public address that goes with a private one: the same, since there is one network only."""
        return address

    def boot(self, instance):
        self.write(instance.id, f"[    0.000000] Linux version 6.1.0 ({instance.kind})\n{instance.id} login: \n")

    def halt(self, instance):
        """Ends it; what is on its disk stays for the next boot."""
        self.write(instance.id, "[   99.000000] reboot: Power down\n")

    def destroy(self, instance):
        """Ends it at once, or after a halt; nothing stays but its console. Fine for one that was never booted."""
        self.halt(instance)
        self.used.pop(instance.private_ip, None)

    def ended(self, instance):
        """True if it was booted and has ended by itself."""
        del instance
        return False

    def console(self, instance_id):
        return self.consoles.get(instance_id, b"")

    def metadata_socket(self):
        """A listening socket where machines look for the metadata service, if they have a place of their own."""
        return None

    def close(self):
        """Ends all."""

    def write(self, instance_id, text):
        self.consoles[instance_id] = (self.consoles.get(instance_id, b"") + text.encode())[-65536:]


KINDS = {"paper": Paper, "real": Real}


def make(settings):
    kind = settings["kind"]
    if kind not in KINDS:
        raise ValueError(f"machines.kind is {kind!r}; there are {', '.join(KINDS)}")
    return KINDS[kind](settings)
