#!/usr/bin/env python3
"""Fail on what the pages say of the tree and is not so: links and anchors that lead nowhere, `paths` of files that
are not there, words of the glossary that nobody uses, kinds of events that the page on them lacks or invents.
Argument: the tree to look at.
"""
import re

import tree

FENCE = re.compile(r"^```.*?^```$", re.S | re.M)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
TOP = re.compile(r"(src|include|tests|docs|config|sql|playbooks)/[\w./-]*[\w/]$")
LAYER = re.compile(r"([a-z]+)/([a-z_]+)$")
HEADING = re.compile(r"^#+ +(.*)$", re.M)
KIND = re.compile(r'"((?:host|pool|instance|blueprint|image|operation|store|token)\.[a-z_]+)"')
WORD = re.compile(r"^\| ([^|]+?) \| ", re.M)

root = tree.root()
bad, count = [], 0


def anchors(path):
    """What the headings of a page are called in links to them."""
    headings = HEADING.findall(FENCE.sub("", path.read_text()))
    return {re.sub(r"[^\w -]", "", h.lower()).strip().replace(" ", "-") for h in headings}


def link_leads_nowhere(page, target):
    if re.match(r"[a-z]+:", target):
        return False
    file, _, anchor = target.partition("#")
    there = (page.parent / file) if file else page
    return not there.exists() or (anchor and anchor not in anchors(there))


def path_is_missing(code):
    """Of `src/x.c` and of `layer/file`, a file of a layer without its suffix."""
    if TOP.match(code):
        return not (root / code).exists()
    of_layer = LAYER.match(code)
    if not of_layer or not (root / "src" / of_layer[1]).is_dir():
        return False
    name = f"{of_layer[1]}/{of_layer[2]}"
    return not any((root / place).exists() for place in (
        f"src/{name}", f"src/{name}.c", f"src/{name}.h", f"include/berth/{name}.h"))


def unused_words(glossary):
    """The words of the glossary that stand nowhere else."""
    rest = " ".join(p.read_text() for p in tree.files(root, ".md", ".c", ".h") if p != glossary).lower()
    for word in WORD.findall(glossary.read_text())[2:]:
        plain = re.sub(r"\(.*\)", "", word).strip().lower()
        if not re.search(rf"\b{re.escape(plain)}", rest):
            yield word


def wrong_kinds(page):
    """What the page on events and the code do not both have."""
    told = {code for code in CODE.findall(page.read_text()) if KIND.fullmatch(f'"{code}"')}
    made = {kind for layer in ("domain", "engine") if (root / "src" / layer).is_dir()
            for p in tree.files(root / "src" / layer, ".c") for kind in KIND.findall(p.read_text())}
    yield from (f"there is no event {kind}" for kind in sorted(told - made))
    yield from (f"the event {kind} is missing" for kind in sorted(made - told))


for page in tree.files(root, ".md"):
    text, count = page.read_text(), count + 1
    name = page.relative_to(root)
    prose = FENCE.sub("", text)
    bad += [f"{name}: the link {t} leads nowhere" for t in LINK.findall(prose) if link_leads_nowhere(page, t)]
    bad += [f"{name}: there is no {c}" for c in CODE.findall(prose) if path_is_missing(c)]
    if page.name == "GLOSSARY.md":
        bad += [f"{name}: nothing else speaks of '{w}'" for w in unused_words(page)]
    if page.name == "EVENTS.md":
        bad += [f"{name}: {w}" for w in wrong_kinds(page)]
tree.report("docs", count, bad)
