#!/usr/bin/env python3
"""Fail when a file includes what its layer may not see (layers.txt).  Argument: the tree to look at."""
import fnmatch
import pathlib
import re

import tree

root = tree.root()
below, owners, special = {}, {}, {}
for row in (pathlib.Path(__file__).parent / "layers.txt").read_text().splitlines():
    for sign, table in ((":", below), ("=", owners), ("!", special)):
        left, found, right = row.partition(f" {sign}")
        if found and not row.startswith("#"):
            table[left.strip()] = set(right.split())


def owned_by(header):
    for pattern, layers in owners.items():
        if fnmatch.fnmatch(header, pattern):
            return layers
    return {"*"}


def verdict(layer, header, angled):
    """Why @layer may not include @header, or None."""
    if layer not in below:
        return f"'{layer}' is no layer"
    if header.startswith("berth/"):
        target = header.split("/")[1]
        if target != layer and not below[layer] & {target, "*"}:
            return f"{layer} must not include {target} ({header})"
    elif not owned_by(header) & {layer, "*"} and layer != "daemon":
        return f"{header} belongs to {', '.join(sorted(owned_by(header)))}, not to {layer}"
    elif angled and layer in special["pure"] and header not in special["pure_headers"]:
        return f"{layer} is pure, <{header}> is not"
    return None


bad, count = [], 0
for top in ("src", "include/berth"):
    for path in tree.files(root / top, ".c", ".h"):
        layer = path.relative_to(root / top).parts[0]
        count += 1
        for line, text in enumerate(path.read_text().splitlines(), 1):
            include = re.match(r'\s*#\s*include\s*([<"])([^">]+)', text)
            why = include and verdict(layer, include[2], include[1] == "<")
            if why:
                bad.append(f"{path.relative_to(root)}:{line}: {why}")
tree.report("layers", count, bad)
