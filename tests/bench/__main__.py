"""./dev bench: measures Berth and, in the same run, what it is compared with.

    ./dev bench [--quick] [NAME...]

Prints a table and leaves build/bench/NAME.json. Figures are medians of rounds in which both sides take turns.
"""

import argparse
import shutil
import sys
import time

from . import elastic, engines, footprint, programs, reads, report, writes

BENCHES = {
    "placement": writes.placement,
    "rest": writes.rest,
    "slow": writes.slow,
    "count": writes.count,
    "launch": engines.launch,
    "burst": engines.burst,
    "get": reads.get,
    "list": reads.lists,
    "memory": footprint.memory,
    "restart": footprint.restart,
    "store": writes.store,
    "spawn": elastic.spawn,
    "many": elastic.many,
}


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("names", nargs="*", metavar="NAME", help="of: " + " ".join(BENCHES))
    options = parser.parse_args()
    unknown = set(options.names) - set(BENCHES)
    if unknown:
        parser.error(f"no such benchmark: {' '.join(sorted(unknown))}; there are: {' '.join(BENCHES)}")
    about = report.machine()
    everything = []
    for name in options.names or BENCHES:
        began = time.monotonic()
        print(f"==> {name}", file=sys.stderr, flush=True)
        try:
            lines, skipped = BENCHES[name](options.quick), None
        except engines.Impossible as why:
            lines, skipped = [], str(why)
            print(f"    not measured: {why}", file=sys.stderr)
        report.save(programs.OUT, name, lines, about, skipped)
        everything += lines
        print(f"    {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    shutil.rmtree(programs.OUT / "tmp", ignore_errors=True)
    print(report.table(everything))
    for line in everything:
        if line.note:
            print(f"  {line.figure}: {line.note}")
    print(f"{about['cpu']}, {about['cpus']} processors, {about['at']}; JSON in {programs.OUT}")


if __name__ == "__main__":
    main()
