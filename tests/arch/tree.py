"""What the gates share: the tree to look at, C without its comments and strings, one way to report."""
import os
import pathlib
import re
import sys

SKIPPED = {".git", "build", "data", "node_modules", "__pycache__", "planted"}
NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def root():
    """The tree that the command line names, else the one this file stands in."""
    return pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__ + "/../../..").resolve()


def files(top, *suffixes):
    """All files below @top with one of @suffixes (none: all of them), in a fixed order."""
    found = []
    for folder, folders, names in os.walk(top):
        # What lies below is not even looked at: tests that run make and remove things there.
        folders[:] = [name for name in folders if name not in SKIPPED]
        found += [pathlib.Path(folder, name) for name in names if name not in SKIPPED]
    for path in sorted(found):
        if path.is_file() and (not suffixes or path.suffix in suffixes):
            yield path


def blank(match):
    return re.sub(r"[^\n]", " ", match[0])


def code(text):
    """C with comments, strings and characters blanked; lines and columns stay."""
    return NOISE.sub(blank, text)


def report(gate, looked_at, bad):
    """Ends the program: 1 with the violations, 1 when there was nothing to look at, 0 otherwise."""
    if not looked_at:
        bad = ["nothing to look at: the gate guards nothing"]
    print("\n".join(bad) or f"{gate}: {looked_at} files, nothing to say")
    sys.exit(bool(bad))
