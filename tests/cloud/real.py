"""Machines of the kind `real`: a systemd of its own in a container with its own network, sshd, and room for Docker."""

import contextlib
import os
import shutil
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

from . import cgroups
from .errors import ApiError
from .network import METADATA, Network, listen_in, run
from .plant import plant

HALT_S = 5
REBOOTS = 133  # how systemd-nspawn, told to keep its unit, ends when its machine wants to boot again
CONSOLE_BYTES = 65536


def script(name, *words):
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
    subprocess.run([path, *words], check=True, stdin=subprocess.DEVNULL)


def make_root(root):
    """The file system that all machines begin with; made once."""
    script("rootfs.sh", root)


def make_layers(root, packages):
    """What a machine's file system is laid over: root, and before it what packages add; made once."""
    make_root(root)
    if not packages:
        return root
    layer = "-".join([root, *sorted(packages)])
    script("packed.sh", root, layer, *sorted(packages))
    return f"{layer}:{root}"


class Machine:
    """What one instance is made of. Its operations run one after the other, in a thread of its own."""

    def __init__(self, instance, layers, network):
        self.id, self.address = instance.id, instance.private_ip
        self.layers, self.network = layers, network
        self.dir = os.path.join(network.state, instance.id)
        self.namespace = f"{network.name}-{instance.id[-12:]}"
        self.thread = ThreadPoolExecutor(max_workers=1)
        self.process = None
        self.groups = []
        self.halting = False
        self.failed = False
        self.made = False
        self.doomed = False

    def submit(self, operation, *arguments):
        return self.thread.submit(self.guarded, operation, *arguments)

    def end(self):
        """Its last operation; what was asked for before comes first."""
        if not self.doomed:
            self.doomed = self.halting = True
            self.submit(self.destroy)
            self.thread.shutdown(wait=False)

    def guarded(self, operation, *arguments):
        try:
            operation(*arguments)
        except Exception as error:  # noqa: BLE001: whatever it is, the machine is lost and its console says why
            self.failed = True
            self.log(f"{operation.__name__}: {error}\n")

    def log(self, text):
        with contextlib.suppress(OSError), open(os.path.join(self.dir, "console"), "a") as file:
            file.write(text)

    def console(self):
        try:
            with open(os.path.join(self.dir, "console"), "rb") as file:
                return file.read()[-CONSOLE_BYTES:]
        except OSError:
            return b""

    def make(self, instance):
        for name in ("upper", "work", "root", "docker"):
            os.makedirs(os.path.join(self.dir, name))
        os.chmod(os.path.join(self.dir, "upper"), 0o755)
        layers = f"lowerdir={self.layers},upperdir={self.dir}/upper,workdir={self.dir}/work"
        run("mount", "-t", "overlay", "overlay", "-o", layers, os.path.join(self.dir, "root"))
        self.network.join(self.namespace, self.address)
        self.log(plant(os.path.join(self.dir, "root"), instance, "ip-" + self.address.replace(".", "-")))
        self.made = True

    def boot(self, instance):
        if not self.made:
            self.make(instance)
        self.groups = cgroups.make(self.namespace, instance.mib << 20)
        # A machine may set its own network up; what is the whole kernel's it may not.
        environment = dict(os.environ, SYSTEMD_NSPAWN_API_VFS_WRITABLE="network")
        if not cgroups.version_2():
            environment["SYSTEMD_NSPAWN_UNIFIED_HIERARCHY"] = "0"
        # When this process ends, the kernel ends unshare, and with it all that is in its namespace of processes.
        words = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "private", "--pid", "--fork",
                 "--kill-child", "--mount-proc", "systemd-nspawn", "--quiet", "-D", os.path.join(self.dir, "root"), "--boot",
                 "--register=no", "--keep-unit", f"--machine={self.namespace}", "--console=pipe",
                 f"--network-namespace-path=/run/netns/{self.namespace}", "--capability=all",
                 "--system-call-filter=add_key keyctl bpf", f"--bind={self.dir}/docker:/var/lib/docker",
                 "--resolv-conf=off", "--timezone=off"]
        with open(os.path.join(self.dir, "console"), "ab") as console:
            self.process = subprocess.Popen(cgroups.enter(self.groups, words), stdin=subprocess.DEVNULL, stdout=console, stderr=console,
                                            env=environment, start_new_session=True)
        # Not before: until then the process is the one that was halted, and has ended.
        self.halting = False

    def halt(self):
        """In order, and by force if that takes too long."""
        self.halting = True
        if self.process is not None and self.process.poll() is None:
            self.end_process()
        cgroups.remove(self.groups)

    def end_process(self):
        # While it boots it may not hear the first time; asked twice, systemd-nspawn ends the machine at once.
        for _ in range(3):
            self.ask_to_end()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(HALT_S)
                return
        self.process.kill()
        self.process.wait()

    def ask_to_end(self):
        """Tells systemd-nspawn, which is unshare's child, to shut the machine down."""
        with contextlib.suppress(OSError), open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as file:
            for pid in file.read().split():
                os.kill(int(pid), signal.SIGTERM)

    def destroy(self):
        self.halt()
        run("umount", os.path.join(self.dir, "root"), check=False)
        self.network.leave(self.namespace, self.address)
        for name in ("upper", "work", "docker"):
            shutil.rmtree(os.path.join(self.dir, name), ignore_errors=True)

    def boot_again(self, instance):
        """It rebooted itself: the same disk, address and memory, and user data is not run again."""
        self.halt()
        self.boot(instance)

    def status(self):
        """Of the process, if it ended by itself; else None."""
        return None if self.process is None or self.halting else self.process.poll()

    def ended(self, instance):
        if self.status() == REBOOTS and not self.failed:
            self.halting = True
            self.submit(self.boot_again, instance)
        return self.failed or self.status() is not None


class Real:
    def __init__(self, settings):
        self.layers = make_layers(os.path.abspath(settings["root"]), settings["packages"])
        self.network = Network(settings["state"])
        self.machines = {}

    def address(self, instance_id):
        found = self.network.address(instance_id)
        if found is None:
            raise ApiError("InsufficientFreeAddressesInSubnet", "There are not enough free addresses in the subnet")
        return found

    def public(self, address):
        return self.network.public(address)

    def boot(self, instance):
        machine = self.machines.get(instance.id) or Machine(instance, self.layers, self.network)
        self.machines[instance.id] = machine
        machine.submit(machine.boot, instance)

    def halt(self, instance):
        machine = self.machines[instance.id]
        machine.halting = True
        machine.submit(machine.halt)

    def destroy(self, instance):
        machine = self.machines.get(instance.id)
        if machine is None:
            self.network.leave("", instance.private_ip)
        else:
            machine.end()

    def ended(self, instance):
        machine = self.machines.get(instance.id)
        return machine is not None and machine.ended(instance)

    def console(self, instance_id):
        machine = self.machines.get(instance_id)
        return machine.console() if machine else b""

    def metadata_socket(self):
        """Where machines look for the metadata service."""
        return listen_in(self.network.router, (METADATA, 80))

    def close(self):
        for machine in self.machines.values():
            machine.end()
        for machine in self.machines.values():
            machine.thread.shutdown(wait=True)
        self.network.close()
