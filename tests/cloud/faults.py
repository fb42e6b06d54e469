"""What goes wrong on purpose: a list of rules, by script or by chance.

A rule is a dict:
  action       a pattern of actions; "*" is all
  kind         one of KINDS
  count        how many times it strikes (default: without end)
  after        how many fitting calls pass first
  for_s        how long it holds, in the cloud's time, from when it was set
  probability  how likely it strikes, drawn from the seed
  seconds      how long `delay` and `slow` wait, or by how much `date` is wrong
  code, status, message   of `error` and `http`
"""

import dataclasses
import fnmatch
import itertools
import random

KINDS = {
    "error": "an error in EC2's XML, before anything is done",
    "http": "an error that is not EC2's: a page of a proxy",
    "close": "the connection ends before anything is done",
    "lose": "it is done, and the connection ends without a reply",
    "delay": "nothing happens for a time, then it is done",
    "slow": "it is done, and the reply comes late",
    "truncate": "it is done, and the reply ends in the middle",
    "garbage": "it is done, and the reply is no XML",
    "date": "the Date header is wrong",
    "forget": "TerminateInstances says yes and does nothing",
    "stillborn": "RunInstances says yes, and the machines die while pending",
}
FIELDS = {"action", "kind", "count", "after", "for_s", "probability", "seconds", "code", "status", "message"}
TWISTS = ("forget", "stillborn")


@dataclasses.dataclass
class Rule:
    id: int
    spec: dict
    until: float
    passed: int = 0
    struck: int = 0

    def number(self, name, default):
        value = self.spec.get(name)
        return default if value is None else value

    def over(self, now):
        return now >= self.until or self.struck >= self.number("count", float("inf"))


def check(spec):
    """ValueError that names the field and what it may be."""
    unknown = set(spec) - FIELDS
    if unknown:
        raise ValueError(f"a fault has no field {sorted(unknown)[0]!r}; it has {', '.join(sorted(FIELDS))}")
    if spec.get("kind") not in KINDS:
        raise ValueError(f"kind is {spec.get('kind')!r}; it must be one of {', '.join(KINDS)}")
    for name in FIELDS - {"action", "kind", "code", "message"}:
        if not isinstance(spec.get(name, 0), (int, float)):
            raise ValueError(f"{name} must be a number")


class Faults:
    def __init__(self, specs, clock, seed):
        self.clock = clock
        self.random = random.Random(seed)
        self.ids = itertools.count(1)
        self.rules = []
        for spec in specs:
            self.add(spec)

    def add(self, spec):
        check(spec)
        rule = Rule(next(self.ids), dict(spec), self.clock.now() + spec.get("for_s", float("inf")))
        self.rules.append(rule)
        return rule.id

    def clear(self):
        self.rules = []

    def strike(self, action):
        """The specs that strike this call: at most one that decides its end, and any number of delays."""
        struck, now = [], self.clock.now()
        for rule in self.rules:
            if rule.over(now) or not fnmatch.fnmatchcase(action, rule.spec.get("action", "*")):
                continue
            rule.passed += 1
            if rule.passed <= rule.number("after", 0) or self.random.random() >= rule.number("probability", 1):
                continue
            rule.struck += 1
            struck.append(rule.spec)
            if rule.spec["kind"] not in ("delay", "slow", "date"):
                break
        return struck

    def show(self):
        return [dict(rule.spec, id=rule.id, struck=rule.struck) for rule in self.rules]
