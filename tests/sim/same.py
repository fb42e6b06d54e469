"""The same seed gives the same trace, byte for byte; another seed another one.  Argument: the program."""
import pathlib
import subprocess
import sys
import tempfile


def trace_of(program, folder, seed, name):
    path = pathlib.Path(folder, name)
    subprocess.run([program, "--seed", str(seed), "--turns", "3000", "--trace", str(path)],
                   stdout=subprocess.DEVNULL, check=True)
    return path.read_bytes()


def main():
    program = sys.argv[1]
    seen = set()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(1, 9):
            first = trace_of(program, folder, seed, "first")
            second = trace_of(program, folder, seed, "second")
            if first != second or len(first) < 10000:
                print(f"seed {seed}: two runs differ, or hardly anything happened ({len(first)} bytes)")
                return 1
            seen.add(first)
    print(f"{len(seen)} seeds, each the same twice")
    return 0 if len(seen) == 8 else 1


if __name__ == "__main__":
    sys.exit(main())
