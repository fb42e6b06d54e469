"""HTTP: a thread for each connection, one write for each reply."""

import email.utils
import http.client
import http.server
import socket
import threading
import time

from . import api, control
from .metadata import Metadata
from .state import Cloud
from .wire import Request, text

MOST_BYTES = 1 << 20
TICK_S = 0.1


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 120

    def setup(self):
        self.connection = self.request
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().setup()

    def log_message(self, *args):
        """Calls are in /control/calls."""

    def whole(self):
        length = self.headers.get("Content-Length")
        if self.headers.get("Transfer-Encoding") or (length is None and self.command == "POST"):
            self.close_connection = True
            return self.send(text(411, "Content-Length is missing\n"))
        if length is not None and (not length.isdecimal() or int(length) > MOST_BYTES):
            self.close_connection = True
            return self.send(text(413, f"at most {MOST_BYTES} bytes\n"))
        body = self.rfile.read(int(length or 0))
        headers = [(name.lower(), value) for name, value in self.headers.items()]
        return self.send(self.server.route(Request(self.command, self.path, headers, body, self.client_address[0])))

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = whole

    def send(self, reply):
        if reply.late_s:
            time.sleep(reply.late_s)
        if reply.fate == "close":
            self.close_connection = True
            return
        when = self.server.cloud.clock.wire_now() + reply.date_off_s
        head = [f"HTTP/1.1 {reply.status} {http.client.responses.get(reply.status, 'Unknown')}",
                f"Date: {email.utils.formatdate(when, usegmt=True)}", "Server: AmazonEC2",
                f"Content-Type: {reply.kind}", f"Content-Length: {len(reply.body)}"]
        head += [f"{name}: {value}" for name, value in reply.headers] + ["Connection: close"] * self.close_connection
        data = "\r\n".join(head).encode() + b"\r\n\r\n" + (b"" if self.command == "HEAD" else reply.body)
        if reply.fate == "truncate":
            self.close_connection, data = True, data[:len(data) - (len(reply.body) + 1) // 2]
        self.write(data, reply.hops)

    def write(self, data, hops):
        if hops is not None:
            # It stays so: what is sent again has to be as short of breath as the first time.
            self.connection.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, hops)
        try:
            self.wfile.write(data)
        except OSError:
            self.close_connection = True  # the client has gone


class Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address, cloud, route, ready=None):
        """`ready` is a socket that listens already."""
        self.cloud = cloud
        self.route = route
        super().__init__(address, Handler, bind_and_activate=ready is None)
        if ready is not None:
            self.socket.close()
            self.socket, self.server_address = ready, ready.getsockname()

    def server_bind(self):
        # The one of the standard library looks its own name up, which may ask a name server.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address[:2]

    def handle_error(self, request, client_address):
        """A connection that a client breaks off is no news; anything else ends in a trace."""
        import sys
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    @property
    def url(self):
        return f"http://{self.server_address[0]}:{self.server_address[1]}"


def address_of(text_):
    """"127.0.0.1:80" -> ("127.0.0.1", 80)"""
    host, colon, port = text_.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"{text_!r} must be ADDRESS:PORT")
    return host, int(port)


class Server:
    """A cloud with its listeners: `with Server(config.build()) as server: ... server.url`"""

    def __init__(self, config, listen="127.0.0.1:0"):
        self.cloud = Cloud(config)
        self.metadata = Metadata(self.cloud)
        self.ended = threading.Event()
        self.api = Listener(address_of(listen), self.cloud, self.route)
        self.imds = Listener(address_of(config["metadata"]["listen"] or "127.0.0.1:0"), self.cloud, self.metadata.answer)
        self.url, self.imds_url = self.api.url, self.imds.url
        self.listeners = [self.api, self.imds]
        theirs = self.cloud.machines.metadata_socket()
        if theirs is not None:
            self.listeners.append(Listener(None, self.cloud, self.metadata.answer, theirs))
        self.threads = [threading.Thread(target=listener.serve_forever, args=(0.1,), daemon=True)
                        for listener in self.listeners]
        self.threads.append(threading.Thread(target=self.keep_ticking, daemon=True))
        for thread in self.threads:
            thread.start()

    def route(self, request):
        if request.path == "/" and request.method in ("GET", "POST"):
            return api.answer(self.cloud, request)
        if (request.path + "/").startswith("/control/"):
            return control.answer(self.cloud, request)
        return text(404, "EC2's query API is at /, the tests' at /control\n")

    def keep_ticking(self):
        """Machines end and prices run also while nobody asks."""
        while not self.ended.wait(TICK_S):
            with self.cloud.lock:
                self.cloud.tick()

    def close(self):
        self.ended.set()
        for listener in self.listeners:
            listener.shutdown()
            listener.server_close()
        self.cloud.close()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.close()
