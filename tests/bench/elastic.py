"""Machines that become hosts: Berth before a cloud whose machines are real, against boot and the same steps by hand."""

import collections
import contextlib
import datetime
import importlib.util
import os
import shutil
import statistics
import subprocess
import threading
import time

from ..real import daemon as real_daemon
from ..real import elastic as real
from . import byhand, programs, report
from .engines import Impossible

SPAWN_S, MANY_S, EMPTY_S = 80, 150, 60
ROUNDS_S = 100  # no round begins later
TICKS = os.sysconf("SC_CLK_TCK")
PROGRAMS = ("ssh", "ssh-keygen", "openssl", "systemd-nspawn", "debootstrap", "ip")


class World(real.Elastic):
    """An account, a berthd as it is installed, and a pool that has what hosts it is told to have."""

    def __init__(self):
        os.environ["BERTHD"] = programs.program("berthd")
        super().__init__(policy={"launches_per_hour": 0, "actions_per_kind": 64, "max_hosts": 40})
        del self.daemon.config["housekeeping"]
        self.daemon.config["log"]["level"] = "warn"
        self.seen = 0

    def close(self):
        try:
            super().close()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def want(self, hosts):
        self.pool["policy"].update(min_hosts=hosts, shutdown=hosts == 0)
        self.daemon.reload()

    def grow(self, count, deadline_s):
        """Times of what happened to each new host, by event kind, once so many are active or the time is over."""
        self.want(count)
        end = time.monotonic() + deadline_s
        told = {}
        while time.monotonic() < end:
            told = self.told()
            if sum("host.active" in kinds for kinds in told.values()) >= count:
                break
            time.sleep(0.1)
        return told

    def told(self):
        found = collections.defaultdict(dict)
        for event in self.daemon.items("events", kind="host.", after=self.seen):
            at = datetime.datetime.fromisoformat(event["at"].replace("Z", "+00:00")).timestamp()
            found[event["host"]].setdefault(event["kind"], at)
        return found

    def clear(self):
        """Nothing is left that costs, and what comes is told anew."""
        self.want(0)
        self.await_machines(0, EMPTY_S)
        self.await_hosts(0, "spawned", "active", "inactive", deadline_s=EMPTY_S)
        self.seen = max([e["seq"] for e in self.daemon.items("events", order="newest")[:1]], default=0)

    def processor_s(self):
        """What berthd has used."""
        with open(f"/proc/{self.daemon.pid}/stat", encoding="ascii") as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def machine_processor_s(self):
        """What each machine that is there has used since its boot."""
        return [group_processor_s(machine.groups) for machine in self.cloud.machines.machines.values()
                if machine.groups and not machine.doomed]

    def calls(self):
        """To the provider, by action."""
        text = self.daemon.ask("GET", "/metrics").text
        return {line.split('"')[1]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
                if line.startswith("berth_cloud_calls_total{")}

    def memory_mib(self):
        with open(f"/proc/{self.daemon.pid}/status", encoding="ascii") as f:
            status = dict(line.split(":", 1) for line in f)
        return int(status["VmRSS"].split()[0]) / 1024

    def sessions(self):
        """SSH connections of berthd's."""
        done = subprocess.run(["ss", "-Htnp", "state", "established", "dport", "=", ":22"], capture_output=True, text=True,
                              check=False)
        return done.stdout.count(f"pid={self.daemon.pid},")


def group_processor_s(groups):
    """Of a machine's control groups, whatever their version."""
    for group in groups:
        with contextlib.suppress(OSError), open(f"{group}/cpuacct.usage", encoding="ascii") as f:
            return int(f.read()) / 1e9
        with contextlib.suppress(OSError), open(f"{group}/cpu.stat", encoding="ascii") as f:
            usage = dict(line.split() for line in f).get("usage_usec")
            if usage:
                return int(usage) / 1e6
    raise Impossible("control groups do not tell what processor time a machine has used")


@contextlib.contextmanager
def world():
    why = real.why_not()
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if importlib.util.find_spec("botocore") is None:
        missing.append("botocore")
    if why or missing:
        raise Impossible(why or f"there is no {missing[0]}")
    made = World()
    try:
        yield made.start()
    finally:
        made.close()


def hand_for(made):
    import botocore.session
    key, known = next(iter(made.cloud.config["keys"].items()))
    return byhand.Hand(botocore.session.Session(), made.server.url, made.cloud.config["region"], (key, known["secret"]))


def ours_once(made):
    """Seconds of each stage, processor seconds of berthd and of the machine."""
    before = made.processor_s()
    told = made.grow(1, SPAWN_S)
    active = [(host, kinds) for host, kinds in told.items() if "host.active" in kinds]
    if not active:
        raise Impossible(f"no host is active within {SPAWN_S} s:\n{made.story()}")
    host, kinds = active[0]
    used = made.processor_s() - before
    return {"whole": kinds["host.active"] - kinds["host.spawned"],
            "launched": kinds.get("host.launched", kinds["host.spawned"]) - kinds["host.spawned"],
            "answers": kinds["host.prepare"] - kinds["host.spawned"],
            "steps": sum(step["took_s"] or 0 for step in made.daemon.items(f"hosts/{host}/log")),
            "berthd_cpu": used, "machine_cpu": sum(made.machine_processor_s())}


def theirs_once(made, hand):
    whole, booted = hand.prepare()
    found = {"whole": whole, "booted": booted, "machine_cpu": sum(made.machine_processor_s())}
    hand.end()
    made.await_machines(0, EMPTY_S)
    return found


def spawn(quick):
    ours, theirs = [], []
    with world() as made, contextlib.closing(hand_for(made)) as hand:
        hand.launch()
        hand.record()
        hand.end()
        made.await_machines(0, EMPTY_S)
        end = time.monotonic() + ROUNDS_S
        for at in range(2 if quick else 5):
            if at > 1 and time.monotonic() > end:
                break
            if at % 2:
                theirs.append(theirs_once(made, hand))
            ours.append(ours_once(made))
            made.clear()
            if not at % 2:
                theirs.append(theirs_once(made, hand))
    return spawn_lines(ours, theirs)


def middle(rounds, name):
    return statistics.median(one[name] for one in rounds)


def spawn_lines(ours, theirs):
    def pairs(name):
        return [(a[name], b[name]) for a, b in zip(ours, theirs)]
    note = (f"launched after {middle(ours, 'launched'):.2f} s, known to run after {middle(ours, 'answers'):.2f} s, steps "
            f"{middle(ours, 'steps'):.2f} s; by hand sshd accepts after {middle(theirs, 'booted'):.2f} s")
    peer = "boot and the same steps in one script over one SSH connection"
    return [report.paired("spawn decision to host active", "s", "<= 1.1", peer, pairs("whole"), at_most=1.1, note=note),
            report.paired("the same, the machine's processor time", "s", "", peer, pairs("machine_cpu")),
            report.single("berthd's processor time for a preparation", "s", "", [one["berthd_cpu"] for one in ours])]


class Watch(threading.Thread):
    """What berthd holds while machines are prepared: most SSH sessions at once, and most memory then."""

    def __init__(self, made):
        super().__init__(daemon=True)
        self.made, self.over = made, threading.Event()
        self.samples = []

    def run(self):
        while not self.over.wait(0.2):
            with contextlib.suppress(OSError, KeyError):
                self.samples.append((self.made.sessions(), self.made.memory_mib()))

    def end(self):
        self.over.set()
        self.join()
        return max(self.samples, default=(0, 0))


def many(quick):
    count = 8 if quick else 20
    with world() as made:
        ours_once(made)  # what only the first one does: the pool's keys, the kernel's caches
        made.clear()
        idle = made.memory_mib()
        one = ours_once(made)
        made.clear()
        calls, used, watch = made.calls(), made.processor_s(), Watch(made)
        watch.start()
        began = time.time()
        told = made.grow(count, MANY_S)
        sessions, memory = watch.end()
        burst = {"used": made.processor_s() - used, "machines": made.machine_processor_s(), "sessions": sessions,
                 "memory": memory, "idle": idle, "began": began,
                 "calls": {k: v - calls.get(k, 0) for k, v in made.calls().items() if v > calls.get(k, 0)}}
        made.clear()
    return many_lines(count, one, told, burst)


def many_lines(count, one, told, burst):
    actives = [kinds["host.active"] for kinds in told.values() if "host.active" in kinds]
    first = min((kinds["host.spawned"] for kinds in told.values() if "host.spawned" in kinds), default=burst["began"])
    launched = sum("host.launched" in kinds for kinds in told.values())
    if not actives or not launched:
        raise Impossible(f"none of {count} hosts is active within {MANY_S} s")
    whole = max(actives) - first
    done = len(actives)
    what = f"{done} machines prepared at once" if done == count else f"{done} of {count} machines prepared at once in {MANY_S} s"
    cpus = os.cpu_count()
    each = one["machine_cpu"] + one["berthd_cpu"]
    floor = done * each / cpus
    spent = (sum(burst["machines"]) + burst["used"]) / cpus
    calls = sum(burst["calls"].values())
    told_calls = ", ".join(f"{name} {number:.0f}" for name, number in sorted(burst["calls"].items()))
    return [
        report.Line(what, whole, "s", "<= 1.5", whole / one["whole"] <= 1.5 and done == count, "one alone", one["whole"],
                    whole / one["whole"]),
        report.Line("the same against what processors allow", whole, "s", "", None,
                    f"{each:.1f} s of processor time for one alone x {done} / {cpus} processors", floor, whole / floor,
                    note=f"one costs its machine {one['machine_cpu']:.2f} s of processor time and berthd {one['berthd_cpu']:.2f} s; "
                         f"all of them used {spent:.1f} s of each processor"),
        report.Line("calls to the provider for each launched machine", calls / launched, "", "<= 4", calls / launched <= 4,
                    note=told_calls),
        report.Line(f"berthd's processor time for each of {done} preparations", burst["used"] / done, "s", "", None),
        report.Line(f"resident memory with {burst['sessions']} SSH sessions", burst["memory"], "MiB", "", None, "before",
                    burst["idle"], burst["memory"] / burst["idle"]),
    ]
