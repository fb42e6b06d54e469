"""What berthd occupies, and how soon it is back."""

import json

from . import programs, report
from .programs import Daemon, Process

HOSTS, INSTANCES = 10000, 100000


def empty_process():
    path = programs.folder("empty") / "empty.db"
    with Process([programs.program("bench_empty"), str(path)]) as process:
        process.process.stdout.readline()
        return process.memory_mib()


def idle():
    with Daemon(programs.folder("idle")) as daemon:
        daemon.quiesce()
        return daemon.memory_mib()


def memory_line(figure, target, at_most, values, peer):
    return report.Line(figure, values[0], "MiB", target, values[0] <= at_most, "an empty process", peer[0],
                       values[0] / peer[0], note=f"anonymous {values[1]:.1f} MiB (peer {peer[1]:.1f})")


def memory(quick):
    del quick
    bare = empty_process()
    source = programs.base("loaded", HOSTS, INSTANCES)
    with Daemon(programs.copy(source, "berthd"), HOSTS, INSTANCES) as daemon:
        daemon.quiesce()
        loaded = daemon.memory_mib()
    return [memory_line("resident memory, idle", "<= 20 MiB", 20, idle(), bare),
            memory_line("resident, 10,000 hosts, 100,000 instances", "<= 48 MiB", 48, loaded, bare)]


def start(directory, hosts, instances):
    """Milliseconds from exec until it answered, and until it was ready."""
    with Daemon(directory, hosts, instances, wait=False) as daemon:
        answered, ready = daemon.await_ready()
        daemon.quiesce()
    return 1000 * answered, 1000 * ready


def bare_load(directory):
    return json.loads(programs.run("bench_bare", "load", directory / "data" / "berth.db"))["ms"]


def restart(quick):
    rounds = 3 if quick else 7
    full = programs.base("loaded", HOSTS, INSTANCES)
    empty = programs.folder("idle")
    with Daemon(empty):
        pass
    starts = [(start(full, HOSTS, INSTANCES), bare_load(full)) for _ in range(rounds)]
    starts_empty = [start(empty, None, 0) for _ in range(rounds)]
    return [report.paired("restart to ready, 10,000 hosts, 100,000 instances", "ms", "<= 3 x",
                          "loading the rows bare", [(ready, bare) for (_, ready), bare in starts], at_most=3),
            report.paired("restart to the first answer, the same rows", "ms", "", "loading the rows bare",
                          [(answered, bare) for (answered, _), bare in starts]),
            report.single("restart to ready, empty", "ms", "<= 50 ms", [ready for _, ready in starts_empty],
                          at_most=50)]
