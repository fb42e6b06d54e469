"""Reading: one instance, the list of all hosts, and small requests beside that."""

import json
import statistics
import subprocess

from . import programs, report
from .programs import BLUEPRINT, Daemon, Peer

HOSTS = 10000
LIST = f"/v1/hosts?limit={HOSTS}"
NEW_LISTS = [LIST, LIST + "&state=live"]  # by turns: what was kept of one is of no use to the other


class Server:
    """A daemon with hosts and one instance; its peers with bodies of the same sizes."""

    def __init__(self):
        source = programs.base("base", HOSTS, pattern=True)
        self.daemon = Daemon(programs.copy(source, "berthd"), HOSTS)
        self.daemon.quiesce()
        self.token = self.daemon.token
        instance = self.daemon.call("POST", "/v1/instances", BLUEPRINT)["id"]
        self.daemon.await_running(2)
        self.instance = "/v1/instances/" + instance
        self.small = Peer(body=len(self.daemon.ask("GET", self.instance)[1]))
        self.large = Peer(body=len(self.daemon.ask("GET", LIST)[1]))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in (self.daemon, self.small, self.large):
            process.close()


def get(quick):
    requests = 40000 if quick else 150000
    with Server() as server:
        pairs = []
        for _ in range(3 if quick else 7):
            ours = programs.load(server.daemon.port, "GET", server.instance, token=server.token,
                                 requests=requests, warmup=1000)
            theirs = programs.load(server.small.port, "GET", server.instance, token=server.token,
                                   requests=requests, warmup=1000)
            pairs.append((ours["rate"], theirs["rate"]))
    return [report.paired("GET of one instance, 64 clients", "/s", ">= 0.75", "libmicrohttpd, constant body",
                          pairs, at_least=0.75)]


def beside(server, seconds):
    """99th percentiles of small requests, alone and beside an endless list of all hosts."""
    small = lambda: programs.load(server.daemon.port, "GET", server.instance, token=server.token, clients=8,
                                  seconds=seconds)
    alone = small()
    lists = subprocess.Popen([programs.program("bench_load"), *map(str, programs.load_options(
        server.daemon.port, "GET", LIST, None, server.token, 1, None, seconds + 0.3, 0))],
        stdout=subprocess.PIPE, text=True)
    try:
        together = small()
        listed = json.loads(lists.communicate(timeout=60)[0])
    finally:
        lists.kill()
        lists.wait()
    return together["p99_us"], alone["p99_us"], listed["requests"]


def lists(quick):
    requests = 200 if quick else 800
    with Server() as server:
        size = len(server.daemon.ask("GET", LIST)[1])
        ours = lambda paths: programs.load(server.daemon.port, "GET", paths, token=server.token, clients=4,
                                           requests=requests, warmup=20)["rate"]
        again, new = [], []
        for _ in range(3 if quick else 7):
            theirs = programs.load(server.large.port, "GET", LIST, token=server.token, clients=4,
                                   requests=requests, warmup=20)["rate"]
            again.append((ours(LIST), theirs))
            new.append((ours(NEW_LISTS), theirs))
        small = [beside(server, 1 if quick else 2) for _ in range(3 if quick else 5)]
    peer = "libmicrohttpd, constant body"
    return [report.paired("list of 10,000 hosts, 4 clients, again", "/s", ">= 0.5", peer, again, at_least=0.5,
                          note=f"{size / 1e6:.2f} MB each"),
            report.paired("the same, every row written anew", "/s", ">= 0.5", peer, new, at_least=0.5),
            report.paired("p99 of small GETs beside the list, 8 clients", "us", "<= 2 x", "the same alone",
                          [(a, b) for a, b, _ in small], at_most=2,
                          note=f"{statistics.median(n for _, _, n in small):.0f} lists meanwhile")]
