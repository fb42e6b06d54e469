"""A daemon of straw: answers like berthd's API as far as the command line needs it, and misbehaves on request."""

import copy
import http.server
import json
import os
import re
import socket
import socketserver
import threading
import urllib.parse

from . import fake_hosts, fake_pools
from .rows import Problem, Stream, ago, ident, plan, pool_status, shown

TOKEN = "berth_secret_of_the_tests"
CUT, HANG, STATUS = "cut", "hang", "status"


class Fake:
    """The state, the faults to come, and what was asked."""

    def __init__(self, unix_path=None):
        self.lock = threading.RLock()
        self.seen = []
        self.faults = []
        self.answers = {}
        self.released = threading.Event()
        self.rows = {"instances": [], "blueprints": [], "hosts": [], "pools": [], "tokens": [], "operations": [],
                     "events": [], "steps": []}
        self.counter = 0
        self.page = 1000
        self.ready = {"status": "ok", "reason": None}
        self.forbidden = ()
        self.streams = {}
        self.plan = plan()
        self.orphans = {}
        self.status = {"pools": [pool_status()], "wrong": []}
        self._server = make_server(self, unix_path)
        self.url = "unix:" + unix_path if unix_path else f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def close(self):
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # --- What tests arrange and look at ---

    def fault(self, kind, method, path, times=1, status=None, body=b"", headers=None, media="text/html"):
        """The next `times` requests for path: CUT does the work and breaks the connection, HANG says nothing, STATUS
        answers with these bytes."""
        self.faults.append({"kind": kind, "method": method, "path": path, "left": times, "status": status, "body": body,
                            "headers": headers or {}, "media": media})

    def asked(self, method, path=None):
        with self.lock:
            return [r for r in self.seen if r["method"] == method and (path is None or r["path"] == path)]

    def add_blueprint(self, name, **fields):
        row = {"name": name, "image": "demo:1", "memory_bytes": 64 << 20, "cpus": 0, "pool": "default", "env": {},
               "version": 1, "created_at": ago(600), "instances": 0, **fields}
        self.rows["blueprints"].append(row)
        return row

    def add_instance(self, state="running", **fields):
        with self.lock:
            self.counter += 1
            row = {"id": ident("i", self.counter), "name": None, "blueprint": "demo", "blueprint_version": 1,
                   "owner": "admin", "pool": "default", "state": state, "desired": "running", "reason": None,
                   "host": ident("h", 1), "container_id": None, "generation": 1,
                   "ports": [{"container": 80, "protocol": "tcp", "host_address": "127.0.0.1", "host_port": 32768}],
                   "url": None, "queue": None, "memory_bytes": 64 << 20, "restarts": 0, "oom_kills": 0, "exit_code": None,
                   "created_at": ago(300), "started_at": None, "ended_at": None, "ends_at": None, **fields}
            self.rows["instances"].append(row)
            return row

    def add_host(self, name, **fields):
        with self.lock:
            self.counter += 1
            row = {"id": ident("h", self.counter), "name": name, "pool": "default", "provider": "static",
                   "state": "active", "waiting_for": None, "reason": None, "address": "10.0.0.5", "machine_id": None,
                   "capacity": {"memory_bytes": 4 << 30, "cpus": 4, "slots": 0},
                   "reserved": {"memory_bytes": 1 << 30, "cpus": 1, "slots": 2}, "instances": 2,
                   "error": {"score": 0, "threshold": 3, "last_kind": None, "last_at": None},
                   "created_at": ago(7200), "labels": {"team": "blue"},
                   "engine": {"address": "tcp://10.0.0.5:2376", "version": "20.10", "api": "1.41", "reachable": True},
                   **fields}
            self.rows["hosts"].append(row)
            return row

    def add_pool(self, name="default", provider="static"):
        row = {"name": name, "provider": provider, "configured": True, "hosts": 1, "rev": 3, "created_at": ago(9000),
               "policy": {"overcommit": {"memory": 1, "cpus": 1}, "reserve": {"memory_bytes": 0, "cpus": 0}, "labels": {},
                          "error_threshold": 3, "drain_deadline_s": 600}}
        self.rows["pools"].append(row)
        return row

    def add_operation(self, kind="housekeeping", looks=2, end="done", **fields):
        """One that is running for so many looks."""
        with self.lock:
            self.counter += 1
            row = {"id": ident("o", self.counter), "kind": kind, "state": "running", "owner": "admin", "pool": "default",
                   "host": None, "subject": None, "text": None, "progress": 0, "total": looks, "created_at": ago(1),
                   "ended_at": None, "_end": end, **fields}
            self.rows["operations"].append(row)
            return row

    def add_event(self, kind, text, host=None):
        row = {"seq": len(self.rows["events"]) + 1, "at": ago(60), "kind": kind, "pool": "default", "host": host,
               "instance": None, "owner": None, "text": text}
        self.rows["events"].append(row)
        return row

    # --- Answers ---

    def answer(self, request):
        """(status, headers, body); raises Problem."""
        path, method = request["path"], request["method"]
        if path == "/readyz":
            return (200 if self.ready["status"] == "ok" else 503), {}, self.ready
        if request["headers"].get("authorization") != "Bearer " + TOKEN:
            raise Problem(401, "unauthorized", "no token, or not a good one")
        if any(path.startswith(p) for p in self.forbidden):
            raise Problem(403, "forbidden", "operators only")
        if path in self.streams and method == "GET":
            return 200, {}, self.streams[path]
        key = request["headers"].get("idempotency-key")
        if key in self.answers:
            return self.answers[key]
        found = self.find_handler(method, path, request)
        if key:
            self.answers[key] = copy.deepcopy(found)
        return found

    def find_handler(self, method, path, request):
        for verb, pattern, handler in HANDLERS:
            match = re.fullmatch(pattern, path)
            if verb == method and match:
                return handler(self, request, *map(urllib.parse.unquote, match.groups()))
        raise Problem(404, "not_found", "there is no such thing: " + path)

    def find(self, resource, value, member="id"):
        for row in self.rows[resource]:
            if row[member] == value:
                return row
        raise Problem(404, "not_found", f"there is no {resource[:-1]} {value}")


def wants(row, key, value):
    if key == "state" and value == "live":
        return row["state"] not in ("stopped", "failed", "removed")
    if key == "kind":
        return row["kind"] == value or value.endswith(".") and row["kind"].startswith(value)
    return str(row.get(key)) == value


FILTERS = {"instances": {"state", "owner", "host", "blueprint", "pool", "name"}, "hosts": {"pool", "state", "name"},
           "blueprints": {"pool"}, "pools": set(), "tokens": set(), "operations": {"state"},
           "events": {"kind", "host", "instance", "pool", "after", "order"}}


def list_rows(fake, request, resource):
    query = dict(request["query"])
    limit, cursor = int(query.pop("limit", 100)), int(query.pop("cursor", 0))
    order = query.pop("order", "oldest")
    unknown = set(query) - FILTERS[resource]
    if unknown or not 1 <= limit <= 1000:
        raise Problem(400, "invalid_request", "the query is wrong",
                      [{"pointer": "?" + u, "code": "unknown_field", "detail": "there is no such parameter here"}
                       for u in sorted(unknown)])
    rows = [r for r in fake.rows[resource] if all(wants(r, k, v) for k, v in query.items())]
    rows = rows[::-1] if order == "newest" else rows
    end = cursor + min(limit, fake.page)
    return 200, {}, {"items": [shown(r) for r in rows[cursor:end]], "next": str(end) if end < len(rows) else None}


def make_instances(fake, request):
    body = request["body"]
    unknown = set(body) - {"blueprint", "blueprint_version", "pool", "owner", "name", "count", "lifetime_s"}
    if unknown:
        raise Problem(400, "unknown_field", "unknown fields",
                      [{"pointer": "/" + u, "code": "unknown_field", "detail": "is not known"} for u in sorted(unknown)])
    fake.find("blueprints", body["blueprint"], "name")
    if body["blueprint"] == "quota":
        raise Problem(403, "quota_exceeded", "ann has 2 of 2 instances of this blueprint")
    made = [fake.add_instance("queued", blueprint=body["blueprint"], name=body.get("name"), created_at=ago(0),
                              owner=body.get("owner", "admin"), _steps=3) for _ in range(body.get("count", 1))]
    return 202, {}, {"items": [shown(m) for m in made], "next": None}


def get_instance(fake, _request, ident_):
    """A look at a new one brings it a step further."""
    row = fake.find("instances", ident_)
    if row.get("_steps") and row["blueprint"] != "stuck":
        row["_steps"] -= 1
        row["state"] = {2: "queued", 1: "starting", 0: "failed" if row["blueprint"] == "bad" else "running"}[row["_steps"]]
        if row["state"] == "failed":
            row["reason"] = "the image cannot be had"
    if row["state"] == "stopping":
        row["state"] = "stopped"
    return 200, {}, shown(row)


def delete_instance(fake, _request, ident_):
    row = fake.find("instances", ident_)
    if row["state"] not in ("stopped", "failed"):
        row["state"] = "stopping"
    return 202, {}, shown(row)


def extend_instance(fake, request, ident_):
    row = fake.find("instances", ident_)
    row["ends_at"] = request["body"].get("ends_at") or ago(-request["body"]["lifetime_s"])
    return 200, {}, shown(row)


def exec_instance(fake, request, ident_):
    fake.find("instances", ident_)
    command = request["body"]["command"]
    lines = [{"stream": "stdout", "data": "out: " + " ".join(command) + "\n"}, {"stream": "stderr", "data": "err\n"}]
    lines.append({"error": "the host cannot be reached", "code": "engine_unreachable"} if command[0] == "lost"
                 else {"exit_code": int(command[-1]) if command[-1].isdigit() else 0})
    return 200, {}, Stream("application/x-ndjson", "".join(json.dumps(line) + "\n" for line in lines).encode())


def put_blueprint(fake, request, name):
    body = request["body"]
    wrong = [{"pointer": "/" + k, "code": "unknown_field", "detail": "is not known; did you mean memory_bytes?"}
             for k in body if k == "memory"]
    if not isinstance(body.get("memory_bytes"), int):
        wrong.append({"pointer": "/memory_bytes", "code": "type", "detail": "must be an integer"})
    if wrong:
        raise Problem(400, "invalid_request", "the blueprint is not valid", wrong)
    for row in fake.rows["blueprints"]:
        if row["name"] == name:
            if any(row.get(k) != v for k, v in body.items()):
                row.update(body, version=row["version"] + 1)
            return 200, {"ETag": f'"{row["version"]}"'}, shown(row)
    return 201, {}, shown(fake.add_blueprint(**body))


def delete_row(fake, _request, resource, name):
    member = "name" if resource == "blueprints" else "id"
    fake.rows[resource].remove(fake.find(resource, name, member))
    return 204, {}, None


def get_host(fake, _request, name):
    row = fake.find("hosts", name, "id" if name.startswith("h-") else "name")
    if row["state"] == "spawned":
        row["state"], row["waiting_for"] = "active", None
    return 200, {}, shown(row)


def move_host(fake, request, name, verb):
    row = fake.find("hosts", name, "id" if name.startswith("h-") else "name")
    if verb == "activate":
        if row["state"] == "active":
            raise Problem(409, "conflict", "the host is active already")
        row["state"] = "active"
        return 200, {}, shown(row)
    row["state"] = "inactive"
    operation = fake.add_operation("host_" + verb, host=row["id"])
    return 202, {}, {"host": shown(row), "operation": shown(operation)}


def get_operation(fake, _request, name):
    row = fake.find("operations", name)
    if row["state"] == "running":
        row["progress"] += 1
        if row["progress"] >= row["total"]:
            row["state"], row["text"] = row["_end"], "as it ended"
    return 200, {}, shown(row)


def make_token(fake, request):
    fake.counter += 1
    row = {"id": ident("t", fake.counter), "owner": request["body"]["name"], "pools": [], "created_at": ago(0),
           "expires_at": None, **{k: v for k, v in request["body"].items() if k in ("name", "role", "owner", "pools")}}
    fake.rows["tokens"].append(row)
    return 201, {}, {**row, "token": "berth_new_secret"}


def load_image(fake, request):
    fake.loaded = request["raw"]
    return 202, {}, shown(fake.add_operation("image_load"))


def list_images(_fake, request):
    if set(request["query"]) - {"pool"}:
        raise Problem(400, "invalid_request", "the query is wrong")
    return 200, {}, {"items": [{"reference": "demo:1", "id": "sha256:0", "size_bytes": 5 << 20, "created_at": ago(90),
                                "hosts": 2}], "kept": [], "hosts_asked": 2, "hosts_answered": 2, "next": None}


def just(value):
    return lambda fake, request, *_: (200, {}, value(fake) if callable(value) else value)


def one(resource, member="name"):
    return lambda fake, _request, name: (200, {"ETag": f'"{fake.find(resource, name, member).get("rev", 1)}"'},
                                         shown(fake.find(resource, name, member)))


ID = "([^/]+)"
STATS = {"at": ago(0), "memory_bytes": 10 << 20, "memory_limit_bytes": 64 << 20, "cpu_ns": 5, "system_cpu_ns": 100, "cpus": 2,
         "network_in_bytes": 1024, "network_out_bytes": 2048, "block_in_bytes": 0, "block_out_bytes": 0, "pids": 3}
HANDLERS = [
    ("GET", "/v1/(instances|blueprints|hosts|pools|tokens|operations|events)", list_rows),
    ("POST", "/v1/instances", make_instances),
    ("GET", f"/v1/instances/{ID}", get_instance),
    ("DELETE", f"/v1/instances/{ID}", delete_instance),
    ("POST", f"/v1/instances/{ID}/extend", extend_instance),
    ("POST", f"/v1/instances/{ID}/exec", exec_instance),
    ("GET", f"/v1/instances/{ID}/stats", just(STATS)),
    ("GET", f"/v1/instances/{ID}/explain", just({"instance": ident("i", 1), "decision": {"host": "rack1", "free_bytes": 5 << 20},
                                                 "now": None})),
    ("GET", f"/v1/blueprints/{ID}", one("blueprints")),
    ("PUT", f"/v1/blueprints/{ID}", put_blueprint),
    ("DELETE", f"/v1/(blueprints|tokens)/{ID}", delete_row),
    ("POST", "/v1/hosts", lambda fake, r: (201, {}, shown(fake.add_host(r["body"]["name"], state="spawned",
                                                                         waiting_for="engine")))),
    ("GET", f"/v1/hosts/{ID}", get_host),
    *fake_hosts.HANDLERS,
    ("POST", f"/v1/hosts/{ID}/(drain|activate|remove)", move_host),
    ("GET", f"/v1/pools/{ID}", one("pools")),
    *fake_pools.HANDLERS,
    ("POST", "/v1/housekeeping", lambda fake, _r: (202, {}, shown(fake.add_operation()))),
    ("POST", "/v1/tokens", make_token),
    ("GET", f"/v1/operations/{ID}", get_operation),
    ("DELETE", f"/v1/operations/{ID}", lambda fake, _r, name: (202, {}, shown(fake.find("operations", name)))),
    ("GET", "/v1/images", list_images),
    ("POST", "/v1/images", load_image),
    ("POST", "/v1/images/pull", lambda fake, _r: (202, {}, shown(fake.add_operation("image_pull", end="failed")))),
    ("POST", "/v1/backups", just(Stream("application/vnd.sqlite3", b"SQLite format 3\0" + bytes(5000)))),
    ("GET", "/v1/version", just({"version": "9.9", "cluster": "straw", "cluster_id": "c-1", "api": "v1"})),
    ("GET", "/v1/status", just(lambda fake: {"at": ago(0), **fake.status})),
    ("GET", "/v1/doctor", just(lambda fake: {"ok": True, "failed": 0, "checks": [
        {"check": "reservations", "ok": True, "detail": None}]})),
]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def log_message(self, *_):
        pass

    def address_string(self):
        return "client"

    def body(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            data = b""
            while size := int(self.rfile.readline(), 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return data
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def handle_one(self):
        fake = self.server.fake
        raw = self.body()
        split = urllib.parse.urlsplit(self.path)
        json_body = raw and self.headers.get("Content-Type") == "application/json"
        request = {"method": self.command, "path": split.path, "query": dict(urllib.parse.parse_qsl(split.query)),
                   "headers": {k.lower(): v for k, v in self.headers.items()}, "raw": raw,
                   "body": json.loads(raw) if json_body else {}}
        with fake.lock:
            fake.seen.append(request)
            fault = next((f for f in fake.faults if f["left"] and f["method"] == self.command and
                          split.path == f["path"]), None)
            if fault:
                fault["left"] -= 1
        if fault and fault["kind"] == HANG:
            fake.released.wait(30)
            self.close_connection = True
            return
        if fault and fault["kind"] == STATUS:
            self.send(fault["status"], fault["headers"], Stream(fault["media"], fault["body"]))
            return
        try:
            with fake.lock:
                status, headers, body = fake.answer(request)
        except Problem as problem:
            body = {"type": "about:blank", "title": "Title of " + problem.code, "status": problem.status,
                    "detail": problem.detail, "instance": split.path, "code": problem.code,
                    "request_id": "req-42"}
            if problem.errors:
                body["errors"] = problem.errors
            status, headers, body = problem.status, problem.headers, Stream(
                "application/problem+json", json.dumps(body).encode())
        if fault and fault["kind"] == CUT:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send(status, headers, body)

    def send(self, status, headers, body):
        stream = isinstance(body, Stream)
        data = body.data if stream else b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", body.media if stream else "application/json")
        self.send_header("X-Request-Id", "req-42")
        for name, value in headers.items():
            self.send_header(name, value)
        if callable(data):
            self.send_header("Connection", "close")
            self.end_headers()
            data(self)
            self.close_connection = True
            return
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_DELETE = handle_one


class TcpServer(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_):
        pass


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_):
        pass


def make_server(fake, unix_path):
    if unix_path:
        if os.path.exists(unix_path):
            os.unlink(unix_path)
        server = UnixServer(unix_path, Handler)
    else:
        server = TcpServer(("127.0.0.1", 0), Handler)
    server.fake = fake
    return server
