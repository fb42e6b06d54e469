"""Calls to a provider by the proxy that the environment names: CONNECT for https, whole URLs for http; never to this
machine, and its password is told nobody else.

Nothing resolves the name that is asked for but the proxy here, so what comes there came by it.
"""

import base64
import json
import os
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
import unittest
import urllib.parse

from tests.cloud import config
from tests.cloud.live import PROGRAM, Live, admin
from tests.cloud.server import Server
from tests.real.pki import Authority

NAME = "ec2.berth.test"
USER, PASSWORD = "ann", "s3cret-of-the-proxy"
CHECKER = PROGRAM.parent / "cloud_test_check"


def head_of(stream):
    """The lines of a head."""
    lines = []
    for line in iter(stream.readline, b""):
        if line == b"\r\n":
            break
        lines.append(line)
    return lines


def relay(source, target):
    with target:
        while piece := source.recv(65536):
            target.sendall(piece)


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        lines = head_of(self.rfile)
        if not lines:
            return
        proxy, (method, target, _) = self.server.proxy, lines[0].decode().split()
        known = base64.b64encode(f"{USER}:{PASSWORD}".encode())
        names = {line.split(b":")[0].strip().lower() for line in lines[1:]}
        with proxy.lock:
            proxy.asked.append((method, target))
            proxy.heads.append(names)
        if b"Proxy-Authorization: Basic " + known + b"\r\n" not in lines:
            self.wfile.write(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        if method == "CONNECT":
            self.wfile.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            self.tunnel(proxy)
        else:
            self.forward(proxy, lines)

    def tunnel(self, proxy):
        """The TLS of the name that was asked for, and behind it the cloud."""
        with proxy.context.wrap_socket(self.connection, server_side=True) as near, proxy.connect() as far:
            there = threading.Thread(target=relay, args=(near, far), daemon=True)
            there.start()
            try:
                while piece := far.recv(65536):
                    near.sendall(piece)
            except OSError:
                pass  # the client went away

    def forward(self, proxy, lines):
        """One request; the cloud sees it as if it had come directly."""
        target = urllib.parse.urlsplit(lines[0].decode().split()[1])
        own = [line for line in lines[1:] if not line.lower().startswith((b"proxy-", b"connection:"))]
        length = next((int(line.split(b":")[1]) for line in own if line.lower().startswith(b"content-length:")), 0)
        with proxy.connect() as far:
            far.sendall(f"POST {target.path or '/'} HTTP/1.1\r\n".encode() + b"".join(own) + b"Connection: close\r\n\r\n" +
                        self.rfile.read(length))
            while piece := far.recv(65536):
                self.wfile.write(piece)


class Proxy(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


class ProxyTest(Live):
    def setUp(self):
        super().setUp()
        authority = Authority(os.path.join(self.folder.name, "pki"))
        self.ca, identity = authority.ca, authority.named("ec2", NAME)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(identity.cert, identity.key)
        self.lock, self.asked, self.heads, self.port = threading.Lock(), [], [], 0
        self.proxy = Proxy(("127.0.0.1", 0), Handler)
        self.proxy.proxy = self
        threading.Thread(target=self.proxy.serve_forever, daemon=True).start()
        self.addCleanup(self.proxy.server_close)
        self.addCleanup(self.proxy.shutdown)
        self.url = f"http://{USER}:{PASSWORD}@127.0.0.1:{self.proxy.server_address[1]}"

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), 10)

    def behind(self, scheme, server, **more):
        """The environment of who finds the cloud behind the proxy only."""
        self.port = urllib.parse.urlsplit(server.url).port
        url = f"{scheme}://{NAME}/"
        return {"BERTH_TEST_CLOUD": url, "AWS_ENDPOINT_URL": url, "AWS_CA_BUNDLE": self.ca, f"{scheme.upper()}_PROXY": self.url, **more}

    def test_connect(self):
        """A whole life, with keys of a role from the metadata service, which is asked directly."""
        self.live(lambda server: self.behind("https", server), roles={"berth-host": {"permissions": ["*"], "trusted": ["*"], "max_s": 3600}},
                  metadata={"listen": None, "role": "berth-host"})
        self.assertEqual(set(self.asked), {("CONNECT", f"{NAME}:443")})
        self.assertFalse({b"authorization", b"x-amz-security-token"} & set().union(*self.heads), "what is ours is in the tunnel")

    def test_plain_http(self):
        self.live(lambda server: self.behind("http", server, **admin()))
        self.assertEqual(set(self.asked), {("POST", f"http://{NAME}/")})

    def test_never_to_this_machine(self):
        self.live(lambda server: {"HTTP_PROXY": self.url, "http_proxy": self.url, **admin()})
        self.assertEqual(self.asked, [])

    def check(self, **environment):
        """What a check of a pool ends with."""
        server = Server(config.build(seed=1))
        self.addCleanup(server.close)
        pool = {"image": {"owner": "136693071363", "name": "debian-12-amd64-*"}, "machine_types": [{"type": "t3.micro"}]}
        done = subprocess.run([CHECKER], env={"PATH": os.environ["PATH"], "AWS_REGION": "eu-central-1", **admin(),
                                              "BERTH_TEST_CHECK": json.dumps(pool), **self.behind("https", server), **environment},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=100, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertNotIn(PASSWORD, done.stdout)
        return done.stdout

    def test_a_proxy_that_refuses(self):
        """It is named as the cause, without its password."""
        self.assertIn("the proxy answers with status 407", self.check(HTTPS_PROXY=self.url.replace(USER, "bob")))
        self.assertGreaterEqual(len(self.asked), 1)

    def test_names_that_are_asked_directly(self):
        for names in ("example.org,.berth.test", NAME, "a, *"):
            with self.subTest(names):
                self.assertIn("the name cannot be resolved", self.check(NO_PROXY=names))
        self.assertEqual(self.asked, [])
        self.assertIn("finding good ec2:RunInstances", self.check(NO_PROXY="example.org"))


if __name__ == "__main__":
    if not PROGRAM.exists():
        print(f"skipped: {PROGRAM} is not there")
        sys.exit(77)
    unittest.main()
