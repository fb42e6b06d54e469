"""Starts and ends the benchmark's programs; what was started is ended by its process id, whatever happens."""

import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BERTH_BENCH_BUILD", ROOT / "build" / "release"))
OUT = ROOT / "build" / "bench"
RUN_DEADLINE_S = 300
READY_DEADLINE_S = 60
BLUEPRINT = {"blueprint": "bench"}


def program(name):
    path = BUILD / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is not built: cmake --build --preset release --target bench")
    return str(path)


def folder(name):
    """An empty folder on the disk that holds the build."""
    path = OUT / "tmp" / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def run(name, *args, env=None):
    """Runs a program to its end and returns what it prints."""
    done = subprocess.run([program(name), *map(str, args)], capture_output=True, text=True, check=False,
                          timeout=RUN_DEADLINE_S, env={**os.environ, **(env or {})})
    if done.returncode != 0:
        raise RuntimeError(f"{name} {' '.join(map(str, args))}: status {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


def figures(name, *args):
    """`figure value` lines as a dictionary."""
    return {key: float(value) for key, value in (line.split() for line in run(name, *args).splitlines())}


def slow_disk():
    """The environment in which each fsync takes a millisecond."""
    return {"LD_PRELOAD": str(BUILD / "slow_fsync.so")}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Process:
    """One program in the background, on a port of its own."""

    def __init__(self, command, env=None, log=None):
        self.began = time.monotonic()
        self._log = open(log, "ab") if log else None
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self._log or subprocess.DEVNULL,
                                        env={**os.environ, **(env or {})})

    @property
    def pid(self):
        return self.process.pid

    def memory_mib(self):
        """Resident, and the anonymous part of it."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as f:
            status = dict(line.split(":", 1) for line in f)
        return tuple(int(status[key].split()[0]) / 1024 for key in ("VmRSS", "RssAnon"))

    def await_port(self, port):
        end = self.began + READY_DEADLINE_S
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.process.args[0]} ended with status {self.process.returncode}")
            time.sleep(0.005)
        raise RuntimeError(f"{self.process.args[0]} does not listen")

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self._log:
            self._log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Peer(Process):
    """bench_peer: the bare program."""

    def __init__(self, db=None, hosts=0, answer=600, body=600, env=None):
        self.port = free_port()
        command = [program("bench_peer"), "-p", str(self.port), "-h", str(hosts), "-a", str(answer),
                   "-b", str(body)]
        super().__init__(command + (["-d", str(db)] if db else []), env)
        self.await_port(self.port)


class Daemon(Process):
    """A berthd: with simulated hosts (bench_daemon), or the real one when there are none to simulate."""

    def __init__(self, directory, hosts=None, instances=0, pools=None, env=None, wait=True):
        self.directory = pathlib.Path(directory)
        self.port = free_port()
        config = {"cluster": "bench", "data_dir": str(self.directory / "data"),
                  "listen": [f"http://127.0.0.1:{self.port}"], "log": {"level": "warn", "format": "logfmt"},
                  "housekeeping": {"interval_s": 3600}, "pools": pools or {"default": {"provider": "static"}}}
        path = self.directory / "berthd.yaml"
        path.write_text(json.dumps(config), encoding="utf-8")
        command = [program("berthd"), "--config", str(path)]
        if hosts is not None:
            command = [program("bench_daemon"), str(path), str(hosts), str(instances)]
        super().__init__(command, env, self.directory / "log")
        if wait:
            self.await_ready()

    @property
    def token(self):
        return (self.directory / "data" / "admin.token").read_text(encoding="ascii").strip()

    @property
    def db(self):
        return self.directory / "data" / "berth.db"

    def ask(self, method, path, body=None, token=True):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Authorization": "Bearer " + self.token} if token else {}
        if body is not None:
            body = json.dumps(body)
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, path, body, headers)
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()

    def call(self, method, path, body=None):
        status, reply = self.ask(method, path, body)
        if not 200 <= status < 300:
            raise RuntimeError(f"{method} {path}: {status} {reply[:500]}")
        return json.loads(reply) if reply else None

    def await_ready(self):
        """Seconds from its start until it answered at all, and until it was ready."""
        answered = None
        end = self.began + READY_DEADLINE_S
        while time.monotonic() < end:
            with contextlib.suppress(OSError, http.client.HTTPException):
                status, _ = self.ask("GET", "/readyz", token=False)
                answered = answered or time.monotonic() - self.began
                if status == 200:
                    return answered, time.monotonic() - self.began
            if self.process.poll() is not None:
                log = (self.directory / "log").read_text(encoding="utf-8", errors="replace")
                raise RuntimeError(f"berthd ended with status {self.process.returncode}: {log[-2000:]}")
            time.sleep(0.001)
        raise RuntimeError("berthd is not ready")

    def metrics(self):
        _, text = self.ask("GET", "/metrics")
        pairs = (line.rsplit(" ", 1) for line in text.decode().splitlines() if line[:1] != "#")
        return {name: float(value) for name, value in pairs}

    def running(self):
        return self.metrics()['berth_instances{state="running"}']

    def await_running(self, count):
        end = time.monotonic() + RUN_DEADLINE_S
        while self.running() < count:
            if time.monotonic() > end:
                raise RuntimeError(f"{self.running():.0f} of {count} instances run")
            time.sleep(0.01)

    def quiesce(self):
        """Until it writes nothing any more: 10,000 hosts leave rows behind when they were compared."""
        before = -1
        while before != (now := self.metrics()["berth_commit_rows_total"]):
            before = now
            time.sleep(0.1)


def base(name, hosts, instances=0, pattern=False):
    """A data directory with so many rows, that a daemon has once run on; pattern: with one real launch in it."""
    directory = folder(name)
    run("bench_fill", directory / "data", hosts, instances)
    with Daemon(directory, hosts, instances) as daemon:
        daemon.quiesce()
        if pattern:
            daemon.call("POST", "/v1/instances", BLUEPRINT)
            daemon.await_running(1)
            daemon.quiesce()
    return directory


def copy(source, name):
    """A fresh copy of base()'s directory."""
    target = folder(name)
    shutil.copytree(source / "data", target / "data", dirs_exist_ok=True)
    return target


def load(port, method="GET", path="/", body=None, token=None, clients=64, requests=None, seconds=None,
         warmup=0):
    """Runs bench_load and returns what it measured.  path: one, or several that take turns."""
    return json.loads(run("bench_load", *load_options(port, method, path, body, token, clients, requests,
                                                      seconds, warmup)))


def load_options(port, method, path, body, token, clients, requests, seconds, warmup):
    options = ["-p", port, "-m", method, "-c", clients, "-w", warmup]
    for one in [path] if isinstance(path, str) else path:
        options += ["-u", one]
    options += ["-s", seconds] if seconds else ["-n", requests]
    options += ["-b", json.dumps(body)] if body is not None else []
    return options + (["-t", token] if token else [])
