"""A real image registry (Debian's docker-registry) on an engine's machine, in the machine's namespaces.

    with Registry(engine, users={"robot": "secret"}) as registry:
        registry.server                 10.77.0.2:5000, as in image names; TLS, its CA in the engine's certs.d
        registry.publish("team/app:1")  the sample image under that name, pushed by the engine itself
    with Registry(engine, users=..., loopback=True):    127.0.0.1:5000 without TLS, which engines allow there
"""

import base64
import ctypes
import ctypes.util
import json
import os
import shutil
import signal

from . import sandbox, wait

PORT = 5000
PROGRAM = "docker-registry"


def why_not():
    """Why no registry can run here, or None."""
    return None if shutil.which(PROGRAM) else f"{PROGRAM} is not installed"


def basic(user, password):
    """What goes over the wire as credentials."""
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def _bcrypt(password, rounds="05"):
    """The registry knows no other kind of digest; the C library's crypt(3) has it."""
    crypt = ctypes.CDLL(ctypes.util.find_library("crypt")).crypt
    crypt.restype = ctypes.c_char_p
    salt = base64.b64encode(os.urandom(18), altchars=b"./").decode()[:21]
    digest = crypt(password.encode(), f"$2y${rounds}${salt}u".encode())
    if digest is None or not digest.startswith(b"$2y$"):
        raise RuntimeError("crypt(3) has no bcrypt here")
    return digest.decode()


class Registry:
    """One registry with basic authentication; what was pushed outlives stop() and start()."""

    def __init__(self, engine, authority, users, loopback=False):
        self.engine = engine
        self.users = users
        address = "127.0.0.1" if loopback else engine.address
        self.server = f"{address}:{PORT}"
        self.directory = os.path.join(engine.directory, "registry-" + address)
        self.log = os.path.join(self.directory, "log")
        os.makedirs(self.directory)
        self._process = None
        tls = None if loopback else authority.server("registry-" + engine.name, [address])
        self._write_config(tls)
        if tls is not None:
            self._trust(authority.ca)

    def _write_config(self, tls):
        at = lambda name: os.path.join(self.directory, name)
        with open(at("htpasswd"), "w", encoding="ascii") as f:
            f.writelines(f"{user}:{_bcrypt(password)}\n" for user, password in self.users.items())
        http = {"addr": self.server}
        if tls is not None:
            http["tls"] = {"certificate": tls.cert, "key": tls.key}
        config = {"version": 0.1, "log": {"level": "info", "accesslog": {"disabled": False}},
                  "storage": {"filesystem": {"rootdirectory": at("data")}, "delete": {"enabled": True}},
                  "http": http, "auth": {"htpasswd": {"realm": "tests", "path": at("htpasswd")}}}
        with open(at("config.yml"), "w", encoding="ascii") as f:
            json.dump(config, f)

    def _trust(self, ca):
        """The machine's /etc/docker is its own: see sandbox.HOLDER."""
        folder = f"/etc/docker/certs.d/{self.server}"
        script = 'mkdir -p "$1" && cp "$2" "$1/ca.crt"'
        done = self.engine.machine.popen(["sh", "-c", script, "sh", folder, ca]).wait(10)
        if done != 0:
            raise RuntimeError(f"{self.engine.name} was not given the registry's CA")

    def start(self):
        with open(self.log, "ab") as log:
            self._process = self.engine.machine.popen(
                [PROGRAM, "serve", os.path.join(self.directory, "config.yml")], stdout=log, stderr=log)
        wait.wait_for(self._listens, lambda: f"the registry listens; its log: {self.log_text()[-2000:]}")
        return self

    def _listens(self):
        if self._process.poll() is not None:
            raise RuntimeError(f"the registry ended: {self.log_text()[-2000:]}")
        return "listening on" in self.log_text()

    def stop(self):
        """It answers no more; the log of what it was asked begins anew with the next start."""
        process, self._process = self._process, None
        if process is None:
            return
        for pid in sandbox.children(process.pid):
            os.kill(pid, signal.SIGTERM)
        process.wait(timeout=10)
        os.remove(self.log)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def asked_for(self, name):
        """How many requests for manifests of image name it has had."""
        repository = name.removeprefix(self.server + "/").rpartition(":")[0]
        return sum(f"/v2/{repository}/manifests/" in line and "response completed" in line
                   for line in self.log_text().splitlines())

    def publish(self, name, ballast_bytes=0):
        """Pushes the sample image as name, then takes it from the engine again; returns the reference.

        ballast_bytes: random bytes on top of it, so that a pull takes its time and each publish makes
        another image.
        """
        reference = f"{self.server}/{name}"
        repository, _, tag = reference.rpartition(":")
        container = self.engine.run("publisher", ["dd", "if=/dev/urandom", "of=/ballast", "bs=4096",
                                                  f"count={1 + ballast_bytes // 4096}"])
        self._ask("POST", f"/containers/{container}/wait")
        self._ask("POST", f"/commit?container={container}&repo={repository}&tag={tag}")
        self._ask("DELETE", f"/containers/{container}?force=1")
        user, password = next(iter(self.users.items()))
        auth = json.dumps({"username": user, "password": password, "serveraddress": self.server})
        pushed = self._ask("POST", f"/images/{repository}/push?tag={tag}", headers={
            "X-Registry-Auth": base64.urlsafe_b64encode(auth.encode()).decode()})
        if b'"error"' in pushed.body:
            raise RuntimeError(f"{reference} was not pushed: {pushed.text}")
        self.forget(reference)
        return reference

    def forget(self, reference):
        """The engine has the image no more."""
        self.engine.request("DELETE", f"/images/{reference}?force=1")

    def _ask(self, method, path, **options):
        reply = self.engine.request(method, path, timeout=60, **options)
        if reply.status >= 400:
            raise RuntimeError(f"{self.engine.name} {method} {path}: {reply.text}")
        return reply
