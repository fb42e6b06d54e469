"""The table of actions: each handler says its name, its request's shape, what it cannot do without, and which
permissions it takes beside its own."""

import dataclasses
from typing import Any, Callable

FILTERS = [{"Name": str, "Value": [str]}]
PAGED = {"MaxResults": int, "NextToken": str}
TAGS = [{"Key": str, "Value": str}]
TAG_SPECIFICATIONS = [{"ResourceType": str, "Tag": TAGS}]

VERSIONS = {"ec2": "2016-11-15", "sts": "2011-06-15"}


@dataclasses.dataclass(frozen=True)
class Action:
    name: str
    service: str
    handler: Callable
    shape: dict
    required: tuple
    needs: Callable  # params -> further permissions
    signed: bool


@dataclasses.dataclass
class Call:
    action: Action
    params: dict
    identity: Any
    now: float
    raw: str  # the parameters as text, in one order: two calls ask for the same if these are equal
    twist: str = ""  # a fault that the handler itself carries out

    def get(self, name, default=None):
        return self.params.get(name, default)

    def list(self, name):
        return self.params.get(name, [])


ACTIONS = {}


def action(name, shape, required=(), service="ec2", needs=lambda params: (), signed=True):
    """Registers a handler(cloud, call) -> members of the answer."""
    def register(handler):
        whole = dict(shape, DryRun=bool) if service == "ec2" else shape
        ACTIONS[name] = Action(name, service, handler, whole, tuple(required), needs, signed)
        return handler
    return register
