#!/usr/bin/env python3
"""Fail when a C function has more than 60 lines or nests deeper than 3, or a source file has more than 500 lines.
Argument: the tree to look at.

A function is what stands between a brace in the first column and the next closing one, and a block is four columns
deeper than what it stands in: clang-format sees to that.
"""
import re

import tree

FUNCTION_LINES = 60
FILE_LINES = 500
NESTING = 3
TOO_DEEP = re.compile(r" {%d,}(if|for|while|switch|do)\b" % (4 * (NESTING + 1)))

root = tree.root()
bad, count = [], 0
for path in tree.files(root, ".c", ".h", ".py", ".sh", ".cmake", ".txt", ".js", ".sql", ""):
    if path.name == "LICENSE":
        continue
    name = path.relative_to(root)
    lines = path.read_text(errors="replace").splitlines()
    count += 1
    if len(lines) > FILE_LINES:
        bad.append(f"{name}: {len(lines)} lines, {FILE_LINES} are allowed")
    begin = None
    for number, text in enumerate(lines if path.suffix in (".c", ".h") else [], 1):
        if text == "{":
            begin = number
        elif text.startswith("}") and begin:
            if number - begin - 1 > FUNCTION_LINES:
                bad.append(f"{name}:{begin}: a function of {number - begin - 1} lines, "
                           f"{FUNCTION_LINES} are allowed")
            begin = None
        elif begin and TOO_DEEP.match(text):
            bad.append(f"{name}:{number}: nested deeper than {NESTING}")
tree.report("limits", count, bad)
