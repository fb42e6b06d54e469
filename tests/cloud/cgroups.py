"""Control groups for machines: each has one of its own in every hierarchy, or two systemds would share theirs."""

import contextlib
import os
import subprocess
import time

TOP = "/sys/fs/cgroup"
GONE_S = 5
# Puts itself into the groups, then becomes the rest of its arguments.
ENTER = 'n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ >"$1/cgroup.procs"; shift; n=$((n - 1)); done; exec "$@"'


def bases():
    """Where this process stands in each hierarchy; with version 2 alone, the top."""
    if version_2():
        return [TOP]
    found = []
    with open("/proc/self/cgroup") as file:
        for line in file:
            _, controllers, path = line.rstrip("\n").split(":", 2)
            name = controllers.rpartition("name=")[2] or "unified"
            if os.path.isdir(f"{TOP}/{name}"):
                found.append(f"{TOP}/{name}{path}".rstrip("/"))
    return found


def version_2():
    return os.path.exists(f"{TOP}/cgroup.controllers")


def make(name, memory_bytes):
    """The machine's groups; together they hold so much memory."""
    groups = []
    for base in bases():
        group = f"{base}/{name}"
        os.makedirs(group, exist_ok=True)
        for setting in ("cpuset.cpus", "cpuset.mems"):
            copy(f"{base}/{setting}", f"{group}/{setting}")
        for setting in ("memory.limit_in_bytes", "memory.max"):
            if os.path.exists(f"{group}/{setting}"):
                put(f"{group}/{setting}", str(memory_bytes))
        groups.append(group)
    return groups


def copy(source, target):
    """Version 1 lets nobody in before these are set."""
    if os.path.exists(source) and os.path.exists(target):
        with open(source) as file:
            put(target, file.read().strip())


def put(path, text):
    with contextlib.suppress(OSError), open(path, "w") as file:
        file.write(text)


def enter(groups, words):
    return ["sh", "-c", ENTER, "sh", str(len(groups)), *groups, *words]


def named(prefix):
    """All groups whose name begins so, wherever they stand."""
    done = subprocess.run(["find", TOP, "-maxdepth", "5", "-type", "d", "-name", f"{prefix}*", "-prune"], capture_output=True,
                          text=True, check=False)
    return done.stdout.splitlines()


def remove(groups):
    """Their processes have ended; the kernel may take a moment to see that."""
    end = time.monotonic() + GONE_S
    for group in groups:
        while os.path.isdir(group):
            for path, _, _ in os.walk(group, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(path)
            if not os.path.isdir(group) or time.monotonic() >= end:
                break
            time.sleep(0.02)
