#!/usr/bin/env python3
"""Fail when clang-format would change a C file.  Arguments: the tree to look at, clang-format; --fix changes them."""
import subprocess
import sys

import tree

root = tree.root()
program = sys.argv[2] if len(sys.argv) > 2 else "clang-format"
paths = [path for top in ("src", "include", "tests") for path in tree.files(root / top, ".c", ".h")]
how = ["-i"] if "--fix" in sys.argv else ["--dry-run", "--Werror", "--ferror-limit=1"]
done = subprocess.run([program, "--style=file", *how, *paths], capture_output=True, text=True) if paths else None
bad = done.stderr.splitlines() if done and done.returncode else []
tree.report("format", len(paths), bad)
