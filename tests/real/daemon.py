"""Starts, stops and kills a berthd, and speaks its API the way any client does."""

import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import urllib.parse

from . import httpc
from .wait import wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
READY_DEADLINE_S = 20.0
FINAL = ("stopped", "failed")


class ApiError(AssertionError):
    """An answer with a status that the test did not expect."""

    def __init__(self, method, path, reply):
        super().__init__(f"{method} {path} answered {reply.status}: {reply.text[:1000]}")
        self.reply = reply


def program(name="berthd"):
    """berthd: $BERTHD, or the newest build below build/; berth likewise."""
    named = os.environ.get(name.upper())
    if named:
        return named
    found = sorted(ROOT.glob("build/*/" + name), key=lambda p: p.stat().st_mtime)
    if not found:
        raise FileNotFoundError(f"no {name} below build/; build it, or set {name.upper()}")
    return str(found[-1])


def static_host(engine, url=None):
    """The configuration of one host of a static pool; url: of a proxy before it."""
    return {"name": engine.name, "engine": url or engine.url, "ca": engine.identity.ca,
            "cert": engine.identity.cert, "key": engine.identity.key}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Daemon:
    """One berthd with a data directory and a configuration of its own."""

    def __init__(self, hosts, pool=None, data=None, **settings):
        """hosts: from static_host(); pool: more keys of the pool; data: its data directory, if that is
        to be elsewhere; settings: more top-level keys.
        """
        self.directory = tempfile.mkdtemp(prefix="berth-daemon-")
        self.data = data or os.path.join(self.directory, "data")
        self.socket = os.path.join(self.directory, "berthd.sock")
        self.log = os.path.join(self.directory, "berthd.log")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = {
            "cluster": "real",
            "data_dir": self.data,
            "listen": ["unix:" + self.socket, self.url],
            "log": {"level": "info", "format": "logfmt"},
            "housekeeping": {"interval_s": 1},
            "pools": {"default": {"provider": "static", "hosts": hosts, **(pool or {})}},
            **settings,
        }
        self.environment = None  # None: that of the test
        self._process = None
        self._token = None

    # --- The process ---

    def _write_config(self):
        """JSON is YAML, too."""
        path = os.path.join(self.directory, "berthd.yaml")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(self.config, f, indent=2)
        return path

    def launch(self):
        """Starts it without waiting."""
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen([program(), "--config", self._write_config()],
                                             stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment)

    def command(self, *arguments, check=False, timeout=60):
        """Runs another berthd with this configuration to its end."""
        return subprocess.run([program(), "--config", self._write_config(), *arguments],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=check,
                              timeout=timeout, env=self.environment)

    def start(self):
        self.launch()
        self.await_ready()
        return self

    def await_ready(self):
        wait_for(self.ready, lambda: f"berthd is ready; its log ends:\n{self.log_tail()}", READY_DEADLINE_S)

    def ready(self):
        self.assert_alive()
        try:
            return self.ask("GET", "/readyz", token=None, timeout=5).status == 200
        except (OSError, http.client.HTTPException):
            return False

    @property
    def running(self):
        return self._process is not None

    @property
    def pid(self):
        return self._process.pid

    def assert_alive(self):
        if self._process is None or self._process.poll() is not None:
            code = None if self._process is None else self._process.returncode
            raise AssertionError(f"berthd ended by itself, status {code}; its log ends:\n{self.log_tail()}")

    def stop(self, deadline_s=20):
        """SIGTERM; a status other than 0 (a sanitizer's report, too) is a failure."""
        if self._process is None:
            return
        process, self._process = self._process, None
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"berthd did not stop within {deadline_s} s:\n{self.log_tail()}") from None
        if code != 0:
            raise AssertionError(f"berthd stopped with status {code}:\n{self.log_tail()}")

    def kill(self):
        self.assert_alive()
        self._process.kill()
        self._process.wait()
        self._process = None

    def restart(self):
        self.stop()
        self.start()

    def reload(self):
        """SIGHUP, after a change of config."""
        self._write_config()
        self._process.send_signal(signal.SIGHUP)

    def close(self):
        """Stops it, whatever it takes, and removes its directory."""
        try:
            self.stop()
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)

    def log_text(self):
        try:
            with open(self.log, encoding="utf-8", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def log_tail(self, size=6000):
        return self.log_text()[-size:]

    # --- The API ---

    @property
    def token(self):
        if self._token is None:
            with open(os.path.join(self.data, "admin.token"), encoding="ascii") as f:
                self._token = f.read().strip()
        return self._token

    def ask(self, method, path, body=None, token="", headers=None, timeout=30):
        """One exchange over TCP with the admin's token, another, or None."""
        headers = dict(headers or {})
        if token is not None:
            headers["Authorization"] = "Bearer " + (token or self.token)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        return httpc.exchange(connection, method, path, body, headers)

    def call(self, method, path, body=None, status=None, **options):
        """ask(), and its JSON; any status but 2xx (or the one given) is a failure."""
        reply = self.ask(method, path, body, **options)
        if status is None and not 200 <= reply.status < 300 or status not in (None, reply.status):
            raise ApiError(method, path, reply)
        return reply.json() if reply.body else None

    def items(self, resource, **filters):
        """All pages of a list."""
        found, cursor = [], None
        while True:
            query = {k: v for k, v in {"limit": 1000, "cursor": cursor, **filters}.items() if v is not None}
            page = self.call("GET", f"/v1/{resource}?" + urllib.parse.urlencode(query))
            found += page["items"]
            cursor = page["next"]
            if cursor is None:
                return found

    def put_blueprint(self, name, command, **fields):
        """Creates or replaces one from the sample image with small, quick defaults."""
        body = {"image": "berth-sample:1", "command": command, "memory_bytes": 32 << 20,
                "pull": "never", "stop_grace_s": 1, **fields}
        return self.call("PUT", f"/v1/blueprints/{name}", body)

    def run(self, blueprint, count=None, **fields):
        """Starts instances; returns one, or a list when count is given."""
        body = {"blueprint": blueprint, **fields}
        if count is not None:
            body["count"] = count
        answer = self.call("POST", "/v1/instances", body, status=202)
        return answer["items"] if count is not None else answer

    def instance(self, instance_id):
        return self.call("GET", f"/v1/instances/{instance_id}")

    def stop_instance(self, instance_id):
        reply = self.ask("DELETE", f"/v1/instances/{instance_id}")
        if reply.status not in (202, 404):
            raise ApiError("DELETE", instance_id, reply)

    def await_state(self, instance_id, *states, deadline_s=30):
        """The instance once it is in one of the states; a final state that is not asked for fails at once."""
        seen = {}

        def reached():
            seen.update(self.instance(instance_id))
            if seen["state"] in FINAL and seen["state"] not in states:
                raise AssertionError(f"{instance_id} is {seen['state']} ({seen['reason']}), not {states}")
            return seen["state"] in states
        wait_for(reached, lambda: f"{instance_id} is {'/'.join(states)}; it is {json.dumps(seen)}", deadline_s)
        return seen

    def await_running(self, instance_id, deadline_s=30):
        return self.await_state(instance_id, "running", deadline_s=deadline_s)

    def hosts(self):
        """Hosts by name."""
        return {h["name"]: h for h in self.items("hosts")}

    def await_host(self, name, condition, what, deadline_s=30):
        seen = {}

        def reached():
            seen.update(self.hosts().get(name, {}))
            return condition(seen)
        wait_for(reached, lambda: f"host {name} {what}; it is {json.dumps(seen)}", deadline_s)
        return seen
