"""The cloud: everything it holds, and how time moves it on. All of it is guarded by `lock`."""

import collections
import random
import threading

from . import machines
from .account import Account
from .catalog import Catalog
from .clock import Clock
from .faults import Faults
from .instance import BY_TIME
from .throttle import Throttle


class Cloud:
    def __init__(self, config):
        self.config = config
        self.lock = threading.RLock()
        self.clock = Clock(config["clock"] == "manual")
        self.random = random.Random(config["seed"])
        self.account = Account(config["account"], config["keys"], config["roles"], self.clock)
        self.catalog = Catalog(config)
        self.throttle = Throttle(config, self.clock)
        self.faults = Faults(config["faults"], self.clock, config["seed"])
        self.machines = machines.make(config["machines"])
        self.instances = {}        # id -> Instance, in the order of launch; terminated ones stay for the ledger
        self.active = {}           # those of them that are not terminated
        self.by_address = {}       # private address -> Instance
        self.launches = {}         # (owner, ClientToken) -> launch.Launch
        self.keys = {}             # name -> dict
        self.groups = {}           # id -> dict
        self.templates = {}        # id -> dict
        self.calls = collections.deque(maxlen=5000)
        self.forms = collections.deque(maxlen=5000)  # [(name, value)] of each, as it came
        self.counts = collections.Counter()
        self.new_group("default", "default VPC security group", self.catalog.vpc, {})

    def new_id(self, prefix):
        return f"{prefix}-0{self.random.getrandbits(64):016x}"

    def new_group(self, name, description, vpc, tags):
        group = {"id": self.new_id("sg"), "name": name, "description": description, "vpc": vpc, "tags": tags,
                 "ingress": [], "egress": [{"protocol": "-1", "range": "0.0.0.0/0"}]}
        self.groups[group["id"]] = group
        return group

    def default_group(self):
        return next(g for g in self.groups.values() if g["name"] == "default")

    def live(self):
        return [i for i in self.active.values() if i.alive()]

    def add(self, instance):
        self.instances[instance.id] = instance
        self.active[instance.id] = instance
        self.by_address[instance.private_ip] = instance
        self.boot(instance, instance.launched)

    # --- time ---

    def tick(self):
        """Does what has become due. Called before anything is looked at."""
        now = self.clock.now()
        for instance in list(self.active.values()):
            self.advance(instance, now)

    def advance(self, instance, now):
        if instance.state == "running" and self.machines.ended(instance):
            self.ended_inside(instance, now)
        while True:
            doomed = instance.doomed if instance.alive() else None
            due = min((t for t in (instance.due, doomed) if t is not None), default=None)
            if due is None or due > now:
                return
            if due == doomed:
                self.shut_down(instance, instance.doomed, instance.doom)
            elif instance.stillborn and instance.state == "pending":
                self.die_pending(instance, due)
            else:
                self.move_on(instance, due)

    def move_on(self, instance, at):
        instance.move(BY_TIME[instance.state], at)
        if instance.state == "terminated":
            self.bury(instance)

    def bury(self, instance):
        del self.active[instance.id]
        if self.by_address.get(instance.private_ip) is instance:
            del self.by_address[instance.private_ip]

    def die_pending(self, instance, at):
        instance.move("terminated", at, "Server.InternalError")
        self.machines.destroy(instance)
        self.bury(instance)

    def boot(self, instance, at):
        """pending began at `at`."""
        instance.due = at + self.config["life"]["pending_s"]
        if not instance.stillborn:
            self.machines.boot(instance)

    def stop(self, instance, at, reason):
        instance.move("stopping", at, reason)
        instance.due = at + self.config["life"]["stop_s"]
        self.machines.halt(instance)

    def shut_down(self, instance, at, reason):
        instance.move("shutting-down", at, reason)
        instance.due = at + self.config["life"]["shutdown_s"]
        self.machines.destroy(instance)

    def doom(self, instance, at, reason):
        """It goes shutting-down at that time, or earlier if it was to already."""
        if instance.alive() and (instance.doomed is None or at < instance.doomed):
            instance.doomed, instance.doom = at, reason

    def ended_inside(self, instance, at):
        """Somebody called poweroff on it."""
        if instance.on_shutdown == "terminate":
            self.shut_down(instance, at, "Client.InstanceInitiatedShutdown")
        else:
            self.stop(instance, at, "Client.InstanceInitiatedShutdown")

    def interrupt(self, instance, notice_s):
        """Spot: the notice now, the end after it."""
        instance.notice = self.clock.now() + notice_s
        self.doom(instance, instance.notice, "Server.SpotInstanceTermination")

    def close(self):
        with self.lock:
            self.machines.close()
