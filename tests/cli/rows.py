"""What the daemon of straw tells, as far as it is the same for many tests."""

import datetime


class Stream:
    """A body that goes out as it is, with its own media type."""

    def __init__(self, media, data):
        self.media, self.data = media, data


class Problem(Exception):
    def __init__(self, status, code, detail, errors=None, headers=None):
        super().__init__(detail)
        self.status, self.code, self.detail, self.errors, self.headers = status, code, detail, errors, headers or {}


def shown(row):
    return {k: v for k, v in row.items() if not k.startswith("_")}


def ago(seconds):
    at = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds)
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def ident(letter, number):
    return f"{letter}-{number:013d}"


def amount(memory_bytes, slots=0):
    return {"memory_bytes": memory_bytes, "cpus": 1.5, "slots": slots}


def plan_round(at_s, *actions, held=()):
    return {"at": ago(-at_s), "actions": list(actions), "held": list(held), "headroom": amount(1 << 30, 4),
            "wanted": amount(3 << 30)}


def action(kind, reason, host=None, machine_type=None, cause=None):
    return {"kind": kind, "host": host, "machine_type": machine_type, "cause": cause, "reason": reason}


def plan():
    """Of a pool, as far as it does not depend on the pool."""
    return {"rounds": [plan_round(0, action("spawn", "2 GiB more are to be free", machine_type="m5.large"),
                                  action("drain", "its life of 4 hours ends", host="rack1", cause="age"),
                                  held=[{"hold": "budget", "text": "500 of 500 are spent or committed"}]),
                       plan_round(15, action("remove", "nothing runs there any more", host="rack1"))],
            "money": {"spent": 499.5, "committed": 12, "budget": 500}, "launches_last_hour": 3, "launches_per_hour": 20,
            "waiting": 7, "refused": [], "next_at": ago(-3600)}


def pool_status(name="default", **fields):
    """A pool of /v1/status."""
    return {"name": name, "provider": "static",
            "hosts": {"spawned": 0, "active": 2, "inactive": 0, "suspended": 0, "probation": 0}, "instances": 2,
            "capacity": amount(4 << 30), "reserved": amount(1 << 30), "largest_free_bytes": 3 << 30,
            "headroom": amount(3 << 30), "wanted": amount(0), "queue": {"length": 0, "oldest_s": None, "oldest": None},
            "money": {"spent": 0, "committed": 0, "budget": None}, "launches_last_hour": 0, "launches_per_hour": 20,
            "held": [], "refused": [], "planned_at": ago(5), "next_at": None, **fields}


def refused(call, kind, **fields):
    """What a provider refuses, as a status, a plan or an explanation tells it."""
    return {"call": call, "kind": kind, "title": "It is so", "text": "Code: in its words", "since": ago(630), "last_at": ago(330),
            "next_at": ago(-330), "times": 7, "hosts": 1, "waiting": 3, **fields}


def wrong(kind, *names, count=None, pool="default", text=None):
    """What is wrong, as /v1/status tells it."""
    return {"kind": kind, "pool": pool, "count": len(names) if count is None else count, "names": list(names), "text": text}


def orphan(machine, verdict="due", **fields):
    return {"id": machine, "machine_type": "t3.small", "zone": "eu-north-1a", "address": "10.0.0.9", "state": "running",
            "spot": False, "host": "h-0000000000009", "launched_at": ago(7200), "seen_since": ago(300), "verdict": verdict,
            "text": f"it is {verdict}", **fields}
