"""Compares what berthd says with what the engines have, past berthd's own way to them."""

import collections

from .daemon import FINAL
from .wait import wait_for

CLUSTER = "berth.cluster"


class Copy:
    """One container with Berth's labels."""

    def __init__(self, engine, container):
        labels = container["Labels"]
        self.engine = engine.name
        self.id = container["Id"]
        self.instance = labels["berth.instance"]
        self.generation = int(labels["berth.generation"])
        self.state = container["State"]
        self.name = container["Names"][0].lstrip("/")

    def __repr__(self):
        return f"{self.name} on {self.engine} ({self.state})"


def copies(engines):
    """Every container with our labels on the engines that answer."""
    return [Copy(e, c) for e in engines for c in e.containers(CLUSTER)]


def doubles(found):
    """What must never be: two containers of one instance and generation, or two that run for one instance."""
    by_generation, running = collections.defaultdict(list), collections.defaultdict(list)
    for copy in found:
        by_generation[(copy.instance, copy.generation)].append(copy)
        if copy.state == "running":
            running[copy.instance].append(copy)
    return [group for table in (by_generation, running) for group in table.values() if len(group) > 1]


def discrepancies(daemon, engines):
    """Why daemon and engines do not agree at rest: orphans, missing and doubled containers, open work."""
    instances = {i["id"]: i for i in daemon.items("instances")}
    found = copies(engines)
    wrong = [f"doubled: {group}" for group in doubles(found)]
    owned = {(c.instance, c.generation): c for c in found}
    for copy in found:
        row = instances.get(copy.instance)
        if row is None or row["state"] in FINAL or row["generation"] != copy.generation:
            wrong.append(f"orphan: {copy}, row: {row and (row['state'], row['generation'])}")
    for row in instances.values():
        if row["state"] == "running":
            copy = owned.get((row["id"], row["generation"]))
            if copy is None or copy.state != "running" or copy.id != row["container_id"]:
                wrong.append(f"missing: {row['id']} generation {row['generation']} has {copy}")
        elif row["state"] not in FINAL:
            wrong.append(f"open: {row['id']} is {row['state']} ({row['reason']})")
    return wrong


def await_agreement(daemon, engines, deadline_s=60):
    """Until daemon and engines agree and nothing is under way."""
    last = []

    def agree():
        last[:] = discrepancies(daemon, engines)
        return not last
    wait_for(agree, lambda: f"berthd and the engines agree; they differ in: {last[:10]}", deadline_s, 0.2)
