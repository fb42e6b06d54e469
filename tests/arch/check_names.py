#!/usr/bin/env python3
"""Fail when src/<layer>/foo.c or foo_bar.c defines something global that is called neither foo_* nor <layer>_*
(the layer's own face may be spread over its files).  Argument: the tree.

clang-format puts a definition's name at the start of a line, below its type: that is what is looked for.
"""
import re

import tree

FUNCTION = re.compile(r"^(?!static\b|extern\b|typedef\b)[a-z_][\w *]*\n(\w+)\(", re.M)
VARIABLE = re.compile(r"^(?!static\b|extern\b|typedef\b|return\b)[a-z_][\w *]*?(\w+)(?:\[[^\]]*\])? =", re.M)

root = tree.root()
bad, count = [], 0
for path in tree.files(root / "src", ".c"):
    count += 1
    layer = path.relative_to(root).parts[1]
    if "main" in path.relative_to(root).parts:
        continue
    first = path.stem.split("_")[0]
    text = tree.code(path.read_text())
    for match in [*FUNCTION.finditer(text), *VARIABLE.finditer(text)]:
        if match[1].split("_")[0] not in (first, layer):
            line = text.count("\n", 0, match.start(1)) + 1
            bad.append(f"{path.relative_to(root)}:{line}: {match[1]} should be static or {first}_*")
tree.report("names", count, bad)
