"""What the test modules share: when they can run, and how a test asks a published port."""

import http.client
import socket
import sys
import unittest

from . import engines, httpc
from .wait import wait_for

CANT_RUN_HERE = 77


def skip_unless_possible():
    """For setUpModule()."""
    reason = engines.why_not()
    if reason:
        raise unittest.SkipTest("real engines can't run here: " + reason)


def main():
    """For a module that is run as a program: its status says 77 when it can't run here."""
    reason = engines.why_not()
    if reason:
        print("real engines can't run here: " + reason)
        sys.exit(CANT_RUN_HERE)
    unittest.main(verbosity=2)


def http_get(address, port):
    connection = http.client.HTTPConnection(address, port, timeout=5)
    return wait_for(lambda: answer_or_none(lambda: httpc.exchange(connection, "GET", "/").body),
                    f"http://{address}:{port} answers")


def answer_or_none(ask):
    try:
        return ask()
    except OSError:
        return None


def udp_ask(address, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(0.5)
        def ask():
            asker.sendto(b"hello", (address, port))
            return asker.recv(100)
        return wait_for(lambda: answer_or_none(ask), f"udp {address}:{port} answers")
