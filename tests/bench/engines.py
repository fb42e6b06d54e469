"""Launches on one real Docker engine, through Berth and through the engine's API alone, in turns."""

import concurrent.futures
import contextlib
import http.client
import json
import statistics
import threading
import time

from ..real import engines as fleet
from ..real import httpc, image
from . import programs, report
from .programs import Daemon

BURST = 60
BURST_AT_ONCE = (4, 8, 16)
EVENT_DEADLINE_S = 120
BLUEPRINT = {"image": image.NAME, "memory_bytes": 32 << 20, "pull": "never", "stop_grace_s": 1,
             "ports": [{"container": 8080}]}


class Impossible(Exception):
    """Why real engines can't be measured here."""


class Events:
    """berthd's event stream: when each instance was told to run."""

    def __init__(self, daemon):
        self.running = {}
        self._changed = threading.Condition()
        self._connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=EVENT_DEADLINE_S)
        self._connection.request("GET", "/v1/events?kind=instance.", headers={
            "Accept": "text/event-stream", "Authorization": "Bearer " + daemon.token})
        self._reply = self._connection.getresponse()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        with contextlib.suppress(OSError, ValueError, AttributeError, http.client.HTTPException):
            while line := self._reply.fp.readline():
                now = time.perf_counter()
                at = line.find(b"{")
                if line.startswith(b"data:") and b'"instance.running"' in line:
                    with self._changed:
                        self.running[json.loads(line[at:])["instance"]] = now
                        self._changed.notify_all()

    def await_all(self, ids):
        """When the last of them ran."""
        with self._changed:
            if not self._changed.wait_for(lambda: all(i in self.running for i in ids), EVENT_DEADLINE_S):
                raise RuntimeError(f"{len(set(ids) - set(self.running))} instances do not run")
            return max(self.running[i] for i in ids)

    def close(self):
        with contextlib.suppress(OSError):
            self._connection.sock.shutdown(2)
        self._connection.close()


class Bench:
    """One engine, a berthd that has it as its local host, and the same container for both."""

    def __init__(self):
        reason = fleet.why_not()
        if reason:
            raise Impossible(reason)
        with contextlib.ExitStack() as stack:
            self.engine = stack.enter_context(fleet.Fleet(1, network=False)).engines[0]
            pools = {"default": {"provider": "local", "engine": self.engine.url}}
            self.daemon = stack.enter_context(Daemon(programs.folder("engine"), pools=pools))
            for name, ready in (("plain", "none"), ("ready", "port")):
                self.daemon.call("PUT", f"/v1/blueprints/{name}", {**BLUEPRINT, "ready": {"kind": ready}})
            self.events = stack.enter_context(contextlib.closing(Events(self.daemon)))
            self._ask = http.client.HTTPConnection("127.0.0.1", self.daemon.port, timeout=60)
            self._numbers = iter(range(1, 1 << 30))
            self.spec = json.dumps(self._spec_of_berths())
            self._stack = stack.pop_all()

    def close(self):
        self._stack.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _spec_of_berths(self):
        """What berthd asks the engine for, as a body for create; without the labels, by which it knows its own."""
        instance = self.launch("plain")[1][0]
        container = self.daemon.call("GET", f"/v1/instances/{instance}")["container_id"]
        seen = self.engine.inspect(container)
        self.clear()
        config = {key: value for key, value in seen["Config"].items() if key not in ("Labels", "Hostname")}
        return {**config, "HostConfig": seen["HostConfig"]}

    def _post(self, body):
        self._ask.request("POST", "/v1/instances", json.dumps(body), {
            "Authorization": "Bearer " + self.daemon.token, "Content-Type": "application/json"})
        reply = self._ask.getresponse()
        text = reply.read()
        if reply.status != 202:
            raise RuntimeError(f"POST /v1/instances: {reply.status} {text[:500]}")
        return json.loads(text)

    def launch(self, blueprint, count=None):
        """Seconds from the POST until all run, and their ids."""
        self._ask.close()
        self._ask.connect()
        began = time.perf_counter()
        made = self._post({"blueprint": blueprint, **({"count": count} if count else {})})
        ids = [item["id"] for item in made["items"]] if count else [made["id"]]
        return self.events.await_all(ids) - began, ids

    def bare_open(self):
        return httpc.UnixConnection(self.engine.socket, 60)

    def bare(self, connection):
        """Create and start over a kept connection."""
        connection.request("POST", f"/v1.41/containers/create?name=bare-{next(self._numbers)}", self.spec,
                           {"Content-Type": "application/json"})
        reply = connection.getresponse()
        made = reply.read()
        if reply.status != 201:
            raise RuntimeError(f"create: {reply.status} {made[:500]}")
        connection.request("POST", f"/v1.41/containers/{json.loads(made)['Id']}/start")
        reply = connection.getresponse()
        text = reply.read()
        if reply.status != 204:
            raise RuntimeError(f"start: {reply.status} {text[:500]}")

    def bare_launch(self):
        with contextlib.closing(self.bare_open()) as connection:
            connection.connect()
            began = time.perf_counter()
            self.bare(connection)
            return time.perf_counter() - began

    def bare_burst(self, at_once):
        """Seconds that BURST containers take, so many at once."""
        local = threading.local()

        def one(_):
            if not hasattr(local, "connection"):
                local.connection = self.bare_open()
            self.bare(local.connection)
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            began = time.perf_counter()
            list(pool.map(one, range(BURST)))
            return time.perf_counter() - began

    def clear(self):
        """No container is left, nor anything that berthd would still do about one."""
        for instance in self.daemon.call("GET", "/v1/instances?state=live&limit=1000")["items"]:
            self.daemon.ask("DELETE", f"/v1/instances/{instance['id']}")
        end = time.monotonic() + EVENT_DEADLINE_S
        while self.daemon.call("GET", "/v1/instances?state=live&limit=1")["items"]:
            if time.monotonic() > end:
                raise RuntimeError("instances do not stop")
            time.sleep(0.02)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda c: self.engine.request("DELETE", f"/containers/{c['Id']}?force=1&v=1"),
                          self.engine.containers()))


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, round((len(values) - 1) * share))]


def launch_lines(what, told, pairs, targets=True):
    """Median and 95th percentile, of milliseconds."""
    ours, theirs = [1000 * a for a, _ in pairs], [1000 * b for _, b in pairs]
    ratios = [a / b for a, b in pairs]
    lines = []
    for name, share, bound in (("median", 0.5, 1.03), ("p95", 0.95, 1.10)):
        value, peer = percentile(ours, share), percentile(theirs, share)
        lines.append(report.Line(f"{what}, {name}", value, "ms", f"<= {bound:.2f}" if targets else "",
                                 value / peer <= bound if targets else None, "create + start", peer, value / peer,
                                 percentile(ratios, 0.25), percentile(ratios, 0.75), len(pairs),
                                 f"{told}; median of the pairs' ratios {statistics.median(ratios):.3f}, "
                                 "spread: their quartiles"))
    return lines


def launch(quick):
    with Bench() as bench:
        pairs = {"plain": [], "ready": []}
        for at in range(20 if quick else 60):
            blueprint = "ready" if at % 3 == 2 else "plain"
            if at % 2:
                theirs, ours = bench.bare_launch(), bench.launch(blueprint)[0]
            else:
                ours, theirs = bench.launch(blueprint)[0], bench.bare_launch()
            pairs[blueprint].append((ours, theirs))
            bench.clear()
    return (launch_lines("POST to running on a real engine", "nothing is asked but the engine", pairs["plain"]) +
            launch_lines("POST to running and its port answers", "readiness by port, which the peer does not look at",
                         pairs["ready"], targets=False))


def burst(quick):
    with Bench() as bench:
        ours, theirs = [], {at_once: [] for at_once in BURST_AT_ONCE}
        for at in range(1 if quick else 3):
            steps = [(None, lambda: bench.launch("plain", BURST)[0])]
            steps += [(n, lambda n=n: bench.bare_burst(n)) for n in BURST_AT_ONCE]
            for at_once, step in steps[at:] + steps[:at]:
                (ours if at_once is None else theirs[at_once]).append(BURST / step())
                bench.clear()
    best = max(theirs, key=lambda n: statistics.median(theirs[n]))
    told = ", ".join(f"{n} at once {statistics.median(rates):.1f}/s" for n, rates in theirs.items())
    return [report.paired(f"burst of {BURST} launches on one engine", "/s", ">= 0.97",
                          f"the bare engine, {best} at once", list(zip(ours, theirs[best])), at_least=0.97,
                          note="bare: " + told)]
