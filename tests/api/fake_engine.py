"""A Docker engine of one file, as much of it as berthd asks for: containers live in a dictionary."""

import hashlib
import http.server
import json
import os
import re
import socketserver
import struct
import sys
import threading
import time
import urllib.parse

GIB = 1 << 30


def frame(stream, data):
    """One piece of a multiplexed stream."""
    return struct.pack(">BxxxL", stream, len(data)) + data


class Engine:
    """Serves on a unix socket until close()."""

    def __init__(self, path, memory_bytes=64 * GIB, cpus=64):
        self.path = path
        self.memory_bytes = memory_bytes
        self.cpus = cpus
        self.containers = {}
        self.execs = {}
        self.images = {"sample:1"}
        self.loaded = []
        self.lock = threading.Lock()
        self.ended = threading.Event()
        if os.path.exists(path):
            os.unlink(path)
        engine = self

        class Handler(_Handler):
            pass

        Handler.engine = engine
        self.server = _Server(path, Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self):
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()

    def create(self, name, spec):
        key = hashlib.sha256(name.encode()).hexdigest()
        self.containers[key] = {"id": key, "name": name, "spec": spec, "state": "created", "code": 0,
                                "started": 0.0, "ended": 0.0, "log": [(1, b"one\n"), (2, b"two\n"), (1, b"three\n")]}
        return key

    def find(self, name):
        for row in self.containers.values():
            if name in (row["name"], row["id"]):
                return row
        return None


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def stamp(at):
    if not at:
        return "0001-01-01T00:00:00Z"
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + ".000000000Z"


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    engine = None

    def address_string(self):
        return "unix"

    def log_message(self, *_):
        pass

    def answer(self, status, body=None):
        data = b"" if body is None else (body if isinstance(body, bytes) else json.dumps(body).encode())
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def chunk(self, data):
        self.wfile.write(b"%x\r\n" % len(data) + data + b"\r\n")
        self.wfile.flush()

    def begin(self, kind="application/vnd.docker.raw-stream"):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def body(self):
        if self.headers.get("Transfer-Encoding", "") == "chunked":
            data = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return data
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def serve(self):
        if self.engine.ended.is_set():
            self.close_connection = True
            return
        target = urllib.parse.urlsplit(self.path)
        path = re.sub(r"^/v1\.\d+", "", target.path)
        query = dict(urllib.parse.parse_qsl(target.query))
        data = self.body()
        for method, pattern, function in ROUTES:
            match = re.fullmatch(pattern, path)
            if match and method == self.command:
                with self.engine.lock:
                    result = function(self, query, data, *match.groups())
                if callable(result):
                    result()
                elif result is not None:
                    self.answer(*result)
                return
        self.answer(404, {"message": "page not found"})

    do_GET = do_POST = do_DELETE = serve

    # --- what berthd asks for ---

    def version(self, _query, _data):
        return 200, {"Version": "20.10.0", "ApiVersion": "1.41", "MinAPIVersion": "1.12"}

    def info(self, _query, _data):
        return 200, {"ID": "FAKE:" + self.engine.path, "MemTotal": self.engine.memory_bytes, "NCPU": self.engine.cpus,
                     "MemoryLimit": True, "SwapLimit": True, "ServerVersion": "20.10.0", "Driver": "overlay2",
                     "OperatingSystem": "fake"}

    def ping(self, _query, _data):
        return 200, b"OK"

    def list_containers(self, _query, _data):
        return 200, [{"Id": c["id"], "Names": ["/" + c["name"]], "Image": c["spec"].get("Image", ""),
                      "State": c["state"], "Labels": c["spec"].get("Labels", {}), "Ports": self.ports(c)}
                     for c in self.engine.containers.values()]

    def ports(self, row):
        return [{"PrivatePort": int(key.split("/")[0]), "PublicPort": 40000 + i, "Type": key.split("/")[1]}
                for i, key in enumerate(row["spec"].get("HostConfig", {}).get("PortBindings") or {})]

    def create_container(self, query, data):
        name = query["name"]
        if self.engine.find(name):
            return 409, {"message": "Conflict. The container name is already in use"}
        spec = json.loads(data)
        if spec["Image"] not in self.engine.images:
            return 404, {"message": "No such image: " + spec["Image"]}
        return 201, {"Id": self.engine.create(name, spec), "Warnings": []}

    def start_container(self, _query, _data, name):
        row = self.engine.find(name)
        if not row:
            return 404, {"message": "No such container"}
        row.update(state="running", started=time.time())
        return 204, None

    def stop_container(self, _query, _data, name):
        row = self.engine.find(name)
        if not row:
            return 404, {"message": "No such container"}
        row.update(state="exited", code=143, ended=time.time())
        return 204, None

    def remove_container(self, _query, _data, name):
        row = self.engine.find(name)
        if row:
            del self.engine.containers[row["id"]]
        return (204, None) if row else (404, {"message": "No such container"})

    def inspect_container(self, _query, _data, name):
        row = self.engine.find(name)
        if not row:
            return 404, {"message": "No such container"}
        bound = {f'{p["PrivatePort"]}/{p["Type"]}': [{"HostIp": "0.0.0.0", "HostPort": str(p["PublicPort"])}]
                 for p in self.ports(row)}
        return 200, {"Id": row["id"], "Name": "/" + row["name"],
                     "State": {"Status": row["state"], "Running": row["state"] == "running", "ExitCode": row["code"],
                               "OOMKilled": False, "Error": "", "StartedAt": stamp(row["started"]),
                               "FinishedAt": stamp(row["ended"])},
                     "HostConfig": row["spec"].get("HostConfig", {}), "Config": row["spec"],
                     "NetworkSettings": {"Ports": bound}}

    def logs(self, query, _data, name):
        row = self.engine.find(name)
        if not row:
            return 404, {"message": "No such container"}
        lines = list(row["log"])
        if query.get("tail", "all") != "all":
            lines = lines[-int(query["tail"]):] if int(query["tail"]) else []

        def send():
            self.begin()
            seen = len(row["log"])
            for stream, text in lines:
                self.chunk(frame(stream, text))
            while query.get("follow") in ("1", "true") and row["state"] == "running" and not self.engine.ended.is_set():
                for stream, text in row["log"][seen:]:
                    self.chunk(frame(stream, text))
                seen = len(row["log"])
                time.sleep(0.02)
            self.wfile.write(b"0\r\n\r\n")
        return send

    def stats(self, _query, _data, name):
        row = self.engine.find(name)
        if not row:
            return 404, {"message": "No such container"}
        return 200, {"read": stamp(time.time()), "memory_stats": {"usage": 4096000, "limit": 67108864, "stats": {}},
                     "cpu_stats": {"cpu_usage": {"total_usage": 12345678}, "system_cpu_usage": 99999999999,
                                   "online_cpus": 2},
                     "networks": {"eth0": {"rx_bytes": 10, "tx_bytes": 20}}, "pids_stats": {"current": 1},
                     "blkio_stats": {"io_service_bytes_recursive": []}}

    def exec_create(self, _query, data, name):
        if not self.engine.find(name):
            return 404, {"message": "No such container"}
        key = f"exec{len(self.engine.execs):060x}"
        self.engine.execs[key] = json.loads(data)["Cmd"]
        return 201, {"Id": key}

    def exec_start(self, _query, _data, key):
        command = self.engine.execs[key]

        def send():
            self.begin()
            if command[0] == "flood":
                for _ in range(40):
                    self.chunk(frame(1, b"x" * 65536))
            else:
                self.chunk(frame(1, " ".join(command).encode() + b" \xc3"))
                self.chunk(frame(1, b"\xa9\n"))
                self.chunk(frame(2, b"bad \xff byte\n"))
            self.wfile.write(b"0\r\n\r\n")
        return send

    def exec_inspect(self, _query, _data, key):
        command = self.engine.execs[key]
        return 200, {"ID": key, "Running": False, "ExitCode": 3 if command[0] == "fail" else 0}

    def list_images(self, _query, _data):
        return 200, [{"Id": "sha256:" + hashlib.sha256(i.encode()).hexdigest(), "RepoTags": [i], "Size": 1000,
                      "Created": 1700000000} for i in sorted(self.engine.images)]

    def inspect_image(self, _query, _data, name):
        if urllib.parse.unquote(name) not in self.engine.images:
            return 404, {"message": "No such image"}
        return 200, {"Id": "sha256:" + hashlib.sha256(name.encode()).hexdigest()}

    def pull(self, query, _data):
        reference = query.get("fromImage", "") + (":" + query["tag"] if query.get("tag") else "")
        self.engine.images.add(reference)
        return 200, b'{"status":"done"}\n'

    def load(self, _query, data):
        self.engine.loaded.append(data)
        self.engine.images.add("loaded:1")
        return 200, b'{"stream":"Loaded image: loaded:1\\n"}\n'

    def events(self, _query, _data):
        def send():
            self.begin("application/json")
            while not self.engine.ended.wait(0.2):
                pass
        return send


ROUTES = [
    ("GET", "/version", _Handler.version),
    ("GET", "/info", _Handler.info),
    ("GET", "/_ping", _Handler.ping),
    ("GET", "/events", _Handler.events),
    ("GET", "/containers/json", _Handler.list_containers),
    ("POST", "/containers/create", _Handler.create_container),
    ("GET", "/containers/([^/]+)/json", _Handler.inspect_container),
    ("POST", "/containers/([^/]+)/start", _Handler.start_container),
    ("POST", "/containers/([^/]+)/stop", _Handler.stop_container),
    ("DELETE", "/containers/([^/]+)", _Handler.remove_container),
    ("GET", "/containers/([^/]+)/logs", _Handler.logs),
    ("GET", "/containers/([^/]+)/stats", _Handler.stats),
    ("POST", "/containers/([^/]+)/exec", _Handler.exec_create),
    ("POST", "/exec/([^/]+)/start", _Handler.exec_start),
    ("GET", "/exec/([^/]+)/json", _Handler.exec_inspect),
    ("GET", "/images/json", _Handler.list_images),
    ("GET", "/images/(.+)/json", _Handler.inspect_image),
    ("POST", "/images/create", _Handler.pull),
    ("POST", "/images/load", _Handler.load),
]
