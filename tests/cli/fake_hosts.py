"""The straw daemon's log of hosts: the steps of their preparations, as a list and as a stream."""

import json

from .rows import Stream, ago


def step(host, run, number, name, state="ok", **fields):
    return {"host": host, "run": run, "step": number, "steps": 4, "name": name, "state": state, "started_at": ago(60),
            "took_s": 1.25, "reason": None, "cut_bytes": 0, "output": "", **fields}


def event(name, data, number=None):
    return ("" if number is None else f"id: {number}\n") + f"event: {name}\ndata: {json.dumps(data)}\n\n"


def stream(fake, steps, host):
    parts = ["retry: 2000\n\n", *(event("step", s, n + 1) for n, s in enumerate(steps) if s["state"] != "running"),
             *(event("progress", s) for s in steps if s["state"] == "running")]
    prepared = host["state"] == "active"
    return "".join(parts + [event("end", {"prepared": prepared, "state": host["state"], "reason": host["reason"]})])


def get_log(fake, request, name):
    query = dict(request["query"])
    host = fake.find("hosts", name, "id" if name.startswith("h-") else "name")
    steps = [s for s in fake.rows["steps"] if s["host"] == host["id"] and
             (query.get("run") in (None, str(s["run"]))) and (query.get("failed") != "true" or s["state"] == "failed")]
    if query.get("follow") == "true":
        return 200, {}, Stream("text/event-stream", stream(fake, steps, host).encode())
    return 200, {}, {"items": steps, "next": None, "preparing": host["state"] == "spawned"}


HANDLERS = [("GET", "/v1/hosts/([^/]+)/log", get_log)]
