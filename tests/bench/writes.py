"""Placements: one decision, and durable ones over REST."""

import json
import time

from . import programs, report
from .programs import BLUEPRINT, Daemon, Peer

HOSTS = 10000
ANSWER_BYTES = 420  # as long as berthd's, about; see answer_bytes()


def placement(quick):
    """Decisions a process makes by itself; bench_placement repeats and takes medians."""
    rounds = [programs.figures("bench_placement") for _ in range(1 if quick else 3)]
    of = lambda key: [r[key] for r in rounds]
    lines = [report.single(f"placement decision, {size:,} hosts", "ns", "<= 200 ns",
                           of(f"placement_decision_{size}_ns"), at_most=200)
             for size in (1000, 10000, 100000)]
    lines.append(report.paired("placement decision, 10,000 hosts", "ns", "50 x faster", "linear scan",
                               list(zip(of("placement_decision_10000_ns"), of("placement_linear_10000_ns"))),
                               at_most=1 / 50))
    lines.append(report.paired("placement, 100,000 over 1,000 hosts", "ns", "<= 1.5 x", "1,000 hosts",
                               list(zip(of("placement_decision_100000_ns"), of("placement_decision_1000_ns"))),
                               at_most=1.5))
    return lines


def answer_bytes(daemon):
    _, body = daemon.ask("POST", "/v1/instances", BLUEPRINT)
    return len(body)


def rest_berthd(source, requests, clients, env):
    directory = programs.copy(source, "berthd")
    with Daemon(directory, HOSTS, env=env) as daemon:
        daemon.quiesce()
        size = answer_bytes(daemon)
        before = daemon.metrics()
        measured = programs.load(daemon.port, "POST", "/v1/instances", BLUEPRINT, daemon.token, clients,
                                 requests, warmup=requests // 10)
        daemon.await_running(2 + requests + requests // 10)
        after = daemon.metrics()
        rows = after["berth_commit_rows_total"] - before["berth_commit_rows_total"]
        commits = after["berth_commit_duration_seconds_count{}"] - before["berth_commit_duration_seconds_count{}"]
        measured.update(answer_bytes=size, rows_each=rows / (requests + requests // 10), commits=commits)
        return measured


def rest_peer(source, requests, clients, size, env):
    directory = programs.copy(source, "peer")
    with Peer(directory / "data" / "berth.db", HOSTS, size, env=env) as peer:
        return programs.load(peer.port, "POST", "/", BLUEPRINT, "x" * 70, clients, requests,
                             warmup=requests // 10)


def rest_rounds(requests, rounds, clients, env=None):
    """(berthd's, the peer's) of each round, taking turns in who begins."""
    source = programs.base("base", HOSTS, pattern=True)
    pairs = []
    size = ANSWER_BYTES
    for at in range(rounds):
        steps = [lambda: rest_berthd(source, requests, clients, env),
                 lambda: rest_peer(source, requests, clients, size, env)]
        if at % 2:
            theirs, ours = steps[1](), steps[0]()
        else:
            ours, theirs = steps[0](), steps[1]()
        size = ours["answer_bytes"]
        pairs.append((ours, theirs))
    return pairs


def rest_note(pairs):
    ours = pairs[-1][0]
    return (f"p99 {ours['p99_us'] / 1000:.1f} ms (peer {pairs[-1][1]['p99_us'] / 1000:.1f}), "
            f"{ours['rows_each']:.2f} rows a placement, {ours['commits']:.0f} commits")


def rest_line(figure, pairs):
    return report.paired(figure, "/s", ">= 0.8", "bare program",
                         [(a["rate"], b["rate"]) for a, b in pairs], at_least=0.8, note=rest_note(pairs))


def rest(quick):
    pairs = rest_rounds(15000 if quick else 40000, 3 if quick else 7, 64)
    return [rest_line("durable placements over REST, 64 clients", pairs)]


def slow(quick):
    env = programs.slow_disk()
    pairs = rest_rounds(8000 if quick else 20000, 3 if quick else 5, 64, env)
    lines = [rest_line("the same, 1 ms fsync", pairs)]
    if not quick:
        wide = rest_rounds(20000, 3, 256, env)
        lines.append(report.paired("the same, 1 ms fsync, 256 clients", "/s", "", "bare program",
                                   [(a["rate"], b["rate"]) for a, b in wide], note=rest_note(wide)))
    return lines


COUNT = 500


def count_berthd(source, posts):
    """Until all instances run, so that all their rows are written."""
    directory = programs.copy(source, "berthd")
    with Daemon(directory, HOSTS) as daemon:
        daemon.quiesce()
        began = time.monotonic()
        answered = programs.load(daemon.port, "POST", "/v1/instances", {**BLUEPRINT, "count": COUNT},
                                 daemon.token, 4, posts)
        daemon.await_running(1 + posts * COUNT)
        return posts * COUNT / (time.monotonic() - began), answered["rate"] * COUNT


def count_bare(source, posts):
    directory = programs.copy(source, "peer")
    return json.loads(programs.run("bench_bare", "write", directory / "data" / "berth.db", posts * COUNT))["rate"]


def count(quick):
    posts = 40 if quick else 100
    source = programs.base("base", HOSTS, pattern=True)
    pairs, accepted = [], []
    for _ in range(3 if quick else 7):
        all_rows, answers = count_berthd(source, posts)
        pairs.append((all_rows, count_bare(source, posts)))
        accepted.append(answers)
    return [report.paired("placements with count = 500, until all run", "/s", ">= 0.5",
                          "bare SQLite, 1,000 rows a commit", pairs, at_least=0.5,
                          note=f"answered at {sorted(accepted)[len(accepted) // 2]:,.0f}/s")]


def store(quick):
    """The store port beside bare SQLite; bench_store repeats and takes medians."""
    del quick
    told = programs.figures("bench_store", programs.folder("store"))
    lines = [report.paired(f"store: rows a second, {size} launches a commit", "/s", "", "bare SQLite",
                           [(told[f"store_rows_per_s_batch_{size}"], told[f"bare_rows_per_s_batch_{size}"])])
             for size in sorted(int(key.rsplit("_", 1)[1]) for key in told if key.startswith("store_rows"))]
    lines.append(report.paired("store: load 10,000 hosts, 100,000 instances", "ms", "", "reading all columns",
                               [(told["store_load_ms"], told["bare_load_ms"])]))
    return lines
