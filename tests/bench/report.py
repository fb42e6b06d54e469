"""A measured figure beside its peer and its target; the table and the JSON made of them."""

import dataclasses
import datetime
import json
import os
import platform
import statistics
import subprocess


@dataclasses.dataclass
class Line:
    figure: str
    value: float
    unit: str
    target: str              # in words
    met: bool                # None: there is no target
    against: str = ""        # what the peer is
    peer: float = None
    ratio: float = None      # of the values, round by round
    low: float = None        # smallest and largest ratio (or value, when there is none) of the rounds
    high: float = None
    rounds: int = 1
    note: str = ""


def paired(figure, unit, target, against, pairs, at_least=None, at_most=None, **more):
    """A line from rounds in which both were measured: (value, peer) each; its ratio is the rounds' median."""
    ratios = [value / peer for value, peer in pairs]
    ratio = statistics.median(ratios)
    met = None
    if at_least is not None:
        met = ratio >= at_least
    if at_most is not None:
        met = ratio <= at_most
    return Line(figure, statistics.median(v for v, _ in pairs), unit, target, met, against,
                statistics.median(p for _, p in pairs), ratio, min(ratios), max(ratios), len(pairs), **more)


def single(figure, unit, target, values, at_most=None, **more):
    """A line with a bound of its own; the median of the rounds counts."""
    value = statistics.median(values)
    return Line(figure, value, unit, target, None if at_most is None else value <= at_most,
                low=min(values), high=max(values), rounds=len(values), **more)


def number(value):
    if value is None:
        return ""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.3g}"


def table(lines):
    rows = [("figure", "berth", "peer", "ratio", "spread", "target", "")]
    for line in lines:
        spread = "" if line.rounds < 2 else f"{number(line.low)}..{number(line.high)}"
        verdict = {True: "met", False: "MISSED", None: ""}[line.met]
        rows.append((line.figure, f"{number(line.value)} {line.unit}", number(line.peer), number(line.ratio),
                     spread, line.target, verdict))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    out = []
    for at, row in enumerate(rows):
        out.append("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
        if at == 0:
            out.append("  ".join("-" * width for width in widths))
    return "\n".join(out)


def machine():
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as f:
        models = [line.split(":", 1)[1].strip() for line in f if line.startswith("model name")]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return {
        "at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip() or None,
        "cpu": models[0] if models else platform.machine(),
        "cpus": os.cpu_count(),
        "kernel": platform.release(),
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
        "load_average": os.getloadavg()[0],
    }


def save(directory, name, lines, about, skipped=None):
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, name + ".json"), "w", encoding="utf-8") as f:
        json.dump({"name": name, "machine": about, "skipped": skipped,
                   "lines": [dataclasses.asdict(line) for line in lines]}, f, indent=2)
        f.write("\n")
