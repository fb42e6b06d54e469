"""Many seeds of the simulation, several processes at once: python3 -m tests.sim.run --program PATH [--seeds N]
[--first SEED] [--turns N | --hours N] [--jobs N], or --seed N [--trace FILE] for one seed.

Ends with a summary, or with the first seed that broke an invariant and the command that replays it.
"""
import argparse
import collections
import concurrent.futures
import pathlib
import re
import subprocess
import sys
import tempfile

CHUNK = 10  # seeds of one process
TAIL = 40


def arguments():
    parser = argparse.ArgumentParser(prog="./dev sim", description="the deterministic simulation")
    parser.add_argument("--program", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--seeds", type=int, default=100, help="so many seeds (100)")
    parser.add_argument("--first", type=int, default=1, help="from this one on (1)")
    parser.add_argument("--turns", type=int, default=4000, help="of each seed, before faults stop (4000)")
    parser.add_argument("--hours", type=int, default=0, help="instead of turns: large pools for so many hours")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once (2)")
    parser.add_argument("--seed", type=int, help="this seed alone")
    parser.add_argument("--trace", help="with --seed: where its trace goes")
    return parser.parse_args()


def length(args):
    return ["--hours", str(args.hours)] if args.hours else ["--turns", str(args.turns)]


def simulate(args, first, count, trace=None):
    command = [args.program, "--seed", str(first), "--seeds", str(count), *length(args)]
    if trace:
        command += ["--trace", str(trace)]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
                          check=False)


def replay(args, seed):
    return f"./dev sim --seed {seed} {' '.join(length(args))} --trace trace.txt"


def explain(args, first, done):
    """A seed that failed; one that died in the middle left no trace, so that is made now."""
    seed = first + len(re.findall(r"^seed \d+: ", done.stdout, re.M))
    print(done.stderr, file=sys.stderr, end="")
    if not re.search(r"^replay: ", done.stderr, re.M):
        print(f"seed {seed} ended with status {done.returncode}; its last lines:", file=sys.stderr)
        with tempfile.TemporaryDirectory() as folder:
            trace = pathlib.Path(folder, "trace")
            simulate(args, seed, 1, trace)
            lines = trace.read_text(errors="replace").splitlines() if trace.exists() else []
            print("\n".join("  " + line for line in lines[-TAIL:]), file=sys.stderr)
    print(f"seed {seed} failed; to see it again: {replay(args, seed)}", file=sys.stderr)


def add(total, text):
    for line in text.splitlines():
        name, _, number = line.rpartition(" ")
        if number.isdigit() and not line.startswith("seed "):
            total[name] += int(number)


def one(args):
    done = simulate(args, args.seed, 1, args.trace)
    print(done.stdout, end="")
    if done.returncode:
        explain(args, args.seed, done)
    return done.returncode


def many(args):
    total = collections.Counter()
    chunks = [(first, min(CHUNK, args.first + args.seeds - first))
              for first in range(args.first, args.first + args.seeds, CHUNK)]
    through = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        running = {pool.submit(simulate, args, first, count): (first, count)
                   for first, count in chunks}
        for future in concurrent.futures.as_completed(running):
            first, count = running[future]
            done = future.result()
            if done.returncode:
                pool.shutdown(wait=False, cancel_futures=True)
                explain(args, first, done)
                return 1
            add(total, done.stdout)
            through += count
            if sys.stderr.isatty():
                print(f"\r{through} of {args.seeds} seeds", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    for name, number in total.items():
        print(f"{number:>14,} {name}")
    if args.hours:
        hours, dollars, leaked = (total[name] / unit for name, unit in
                                  (("machine seconds", 3600), ("cents spent", 100), ("millionths leaked", 1e6)))
        print(f"{hours:,.0f} machine-hours for {dollars:,.2f} dollars, of which {leaked:.2f} leaked")
    print(f"{args.seeds} seeds from {args.first} on, {' '.join(length(args))[2:]} each and the time to come to rest: all held")
    return 0


def main():
    args = arguments()
    return one(args) if args.seed is not None else many(args)


if __name__ == "__main__":
    sys.exit(main())
