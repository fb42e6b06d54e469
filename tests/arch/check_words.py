#!/usr/bin/env python3
"""Fail on banned functions, goto, open ends, and on words that tie the tree to one place.  Argument: the tree to look at.

The patterns are written so that this file does not match them.
"""
import re

import tree

BANNED = re.compile(r"\b(strcpy|strcat|stpcpy|sprintf|vsprintf|gets|atoi|atol|atoll|atof|strtok|system|popen|sleep|"
                    r"usleep|alloca|rand|srand|tmpnam|mktemp|signal)\s*\(|\bgoto\b")
# Only main() may end the program; tests and their helpers are programs of their own.
EXIT = re.compile(r"\b_?exit\s*\(")
OPEN_END = re.compile(r"\b(TO[D]O|FIX[M]E|XX[X]|HA[C]K)\b")
PLACE = [
    ("a path of one machine", re.compile(r"(?<![\w.>}])/(work|farm|home/\w+)/(?!\*)")),
    ("a package registry's host", re.compile(r"(npm[j]s|pyp[i]|crate[s])\.(com|org|io)|proxy\.golan[g]|"
                                             r"(deb|security|snapshot)\.debia[n]|ubunt[u]\.com")),
]

root = tree.root()
bad, count = [], 0


def look(path, pattern, text, why):
    for match in pattern.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        bad.append(f"{path.relative_to(root)}:{line}: {why}: {match[0].strip()}")


for path in tree.files(root):
    try:
        text = path.read_text()
    except UnicodeDecodeError:
        continue
    count += 1
    parts = path.relative_to(root).parts
    if parts[:3] == ("tests", "fuzz", "corpus"):
        continue
    if path.suffix in (".c", ".h"):
        stripped = tree.code(text)
        look(path, BANNED, stripped, "banned")
        if parts[0] in ("src", "include") and "main" not in parts:
            look(path, EXIT, stripped, "exit outside main")
    if path.suffix not in (".md", ""):
        look(path, OPEN_END, text, "an open end")
    for why, pattern in PLACE:
        look(path, pattern, text, why)
tree.report("words", count, bad)
