"""A berthd with fake engines, and a client that holds every answer against /openapi.json."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import fake_engine  # noqa: E402
import schema  # noqa: E402

BERTHD = os.environ.get("BERTHD", "build/debug/berthd")
DEADLINE_S = 30.0


def wait_for(condition, what, deadline_s=DEADLINE_S):
    """Polls condition() until it is true; returns its value."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise AssertionError(f"not reached within {deadline_s:g} s: {what}")
        time.sleep(0.02)


class Unix(http.client.HTTPConnection):
    def __init__(self, path, timeout=30):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:400]!r}"


class World:
    def __init__(self, engines=1, **limits):
        self.dir = tempfile.mkdtemp(prefix="berth-api-")
        self.engines = [fake_engine.Engine(f"{self.dir}/engine{i}.sock") for i in range(engines)]
        self.limits = limits
        self.process = None
        self.document = None
        self.validator = None
        self.seen = set()  # (operationId, status) that were held against the document
        self.log = open(f"{self.dir}/log", "ab")  # noqa: SIM115: closed by close()
        self.start()

    # --- the daemon ---

    def config(self):
        hosts = [{"name": f"h{i}", "engine": f"unix://{e.path}"} for i, e in enumerate(self.engines)]
        return {"cluster": "api-test", "data_dir": f"{self.dir}/data",
                "listen": [f"unix:{self.dir}/api.sock", f"http://127.0.0.1:{self.port}"],
                "log": {"level": "debug"}, **({"limits": self.limits} if self.limits else {}),
                "pools": {"default": {"provider": "static", "hosts": hosts}}}

    def start(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        path = f"{self.dir}/berthd.yaml"
        pathlib.Path(path).write_text(json.dumps(self.config()))
        os.makedirs(f"{self.dir}/data", exist_ok=True)
        self.process = subprocess.Popen([BERTHD, "--config", path], stdout=self.log, stderr=self.log)
        try:
            wait_for(self.is_ready, self.tail)
        except BaseException:
            self.close()
            raise
        self.admin = pathlib.Path(f"{self.dir}/data/admin.token").read_text().strip()
        self.document = self.call("GET", "/openapi.json").json
        self.validator = schema.Validator(self.document)

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError("berthd ended: " + self.tail())
        with contextlib.suppress(OSError):
            return self.raw_call("GET", "/readyz", {}).status == 200
        return False

    def tail(self):
        return pathlib.Path(f"{self.dir}/log").read_text(errors="replace")[-4000:]

    def stop(self, signum=signal.SIGTERM):
        """Ends the daemon. Return: its status."""
        self.process.send_signal(signum)
        status = self.process.wait(timeout=DEADLINE_S)
        self.process = None
        return status

    def restart(self, signum=signal.SIGTERM):
        status = self.stop(signum)
        self.start()
        return status

    def close(self):
        status = None
        try:
            if self.process and self.process.poll() is None:
                status = self.stop()
        finally:
            if self.process and self.process.poll() is None:
                self.process.kill()
            for engine in self.engines:
                engine.close()
            self.log.close()
        if status not in (0, None):
            raise AssertionError(f"berthd ended with {status}:\n{self.tail()}")
        shutil.rmtree(self.dir, ignore_errors=True)

    # --- requests ---

    def connect(self, unix=False, timeout=30):
        return Unix(f"{self.dir}/api.sock", timeout) if unix else http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=timeout)

    def raw_call(self, method, path, headers, body=None, unix=False):
        connection = self.connect(unix)
        try:
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            return Answer(response.status, dict((k.lower(), v) for k, v in response.getheaders()), response.read())
        finally:
            connection.close()

    def call(self, method, path, body=None, token="", key=None, unix=False, **headers):
        """token "": the admin's; None: none. body: JSON, or bytes. Header names with '_' for '-'."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            given = token or getattr(self, "admin", "")
            sent.setdefault("Authorization", f"Bearer {given}")
        if key is not None:
            sent["Idempotency-Key"] = key
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        answer = self.raw_call(method, path, sent, body, unix)
        if self.validator:
            self.check(method, path, answer)
        return answer

    def ok(self, method, path, *args, **kwargs):
        answer = self.call(method, path, *args, **kwargs)
        if answer.status >= 300:
            raise AssertionError(f"{method} {path}: {answer}")
        return answer

    def operation_of(self, method, path):
        parts = path.split("?")[0].split("/")
        best = None
        for pattern, item in self.document["paths"].items():
            words = pattern.split("/")
            if len(words) == len(parts) and all(w == p or w.startswith("{") for w, p in zip(words, parts)):
                if method.lower() in item and (best is None or "{" not in pattern):
                    best = item[method.lower()]
        return best

    def check(self, method, path, answer):
        """An answer must be told by the document."""
        if method not in ("GET", "POST", "PUT", "DELETE"):
            return
        operation = self.operation_of(method, path)
        kind = answer.headers.get("content-type", "").split(";")[0]
        if operation is None:
            contents = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        else:
            told = operation["responses"].get(str(answer.status)) or operation["responses"]["default"]
            contents = self.validator.resolve(told).get("content", {})
            self.seen.add((operation["operationId"], answer.status))
        if not answer.body:
            return
        fitting = [c for k, c in contents.items() if k.split(";")[0] == kind]
        if not fitting:
            raise AssertionError(f"{method} {path}: {kind} is not told for {answer}")
        if kind.endswith("json") and "ndjson" not in kind:
            errors = self.validator.check(answer.json, fitting[0]["schema"])
            if errors:
                raise AssertionError(f"{method} {path} → {answer}\n" + "\n".join(errors))
            if answer.status >= 400 and kind == "application/problem+json":
                self.check_problem(answer)

    def check_problem(self, answer):
        problem = answer.json
        assert problem["status"] == answer.status, answer
        assert problem["request_id"] == answer.headers["x-request-id"], answer
        assert re.fullmatch(r"/problems/[a-z_]+", problem["type"]), answer

    def raw(self, data, timeout=10, unix=False, half_close=False):
        """Bytes as they are; returns all that comes until the daemon closes or says nothing for a while."""
        connection = self.connect(unix, timeout)
        connection.connect()
        sock = connection.sock
        received = b""
        try:
            with contextlib.suppress(OSError):
                sock.sendall(data)
                if half_close:
                    sock.shutdown(socket.SHUT_WR)
            while True:
                piece = sock.recv(65536)
                if not piece:
                    return received
                received += piece
        except (ConnectionError, TimeoutError):
            return received
        finally:
            connection.close()

    # --- things ---

    def token(self, name, role, **fields):
        return self.ok("POST", "/v1/tokens", {"name": name, "role": role, **fields}).json["token"]

    def blueprint(self, name="web", **fields):
        spec = {"image": "sample:1", "memory_bytes": 16 << 20, "ready": {"kind": "none"}, **fields}
        return self.ok("PUT", f"/v1/blueprints/{name}", spec).json

    def run(self, blueprint="web", token="", **fields):
        """One instance, when it runs."""
        made = self.ok("POST", "/v1/instances", {"blueprint": blueprint, **fields}, token=token).json
        return self.await_state(made["id"], "running")

    def get(self, path, **kwargs):
        return self.ok("GET", path, **kwargs).json

    def await_state(self, instance, *states):
        def look():
            row = self.get(f"/v1/instances/{instance}")
            return row if row["state"] in states else None
        return wait_for(look, lambda: f"{instance} is in {states}")

    def pages(self, path, limit):
        """All items of a list, page by page."""
        join = "&" if "?" in path else "?"
        page = self.get(f"{path}{join}limit={limit}")
        while True:
            yield from page["items"]
            if page["next"] is None:
                return
            page = self.get(f"{path}{join}limit={limit}&cursor={page['next']}")


class Case(unittest.TestCase):
    """Tests with one World for the class."""

    limits = {}
    engines = 1
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.world = World(cls.engines, **cls.limits)

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    def problem(self, answer, status, code):
        self.assertEqual((answer.status, answer.json["code"]), (status, code), answer)
        return answer.json
