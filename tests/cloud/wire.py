"""Requests and replies as all parts of the server see them."""

import dataclasses
import json
from typing import Optional
from urllib.parse import parse_qsl, unquote


@dataclasses.dataclass
class Request:
    method: str
    target: str    # path and query as they came
    headers: list  # [(lower-case name, value)]
    body: bytes
    peer: str      # address

    @property
    def path(self):
        return unquote(self.target.partition("?")[0])

    @property
    def query(self):
        return parse_qsl(self.target.partition("?")[2], keep_blank_values=True)

    def header(self, name):
        return next((v for n, v in self.headers if n == name), None)

    def json(self):
        """An object; ValueError if the body is none."""
        value = json.loads(self.body or b"{}")
        if not isinstance(value, dict):
            raise ValueError("the body must be a JSON object")
        return value


@dataclasses.dataclass
class Reply:
    status: int
    body: bytes = b""
    kind: str = "text/plain; charset=utf-8"
    headers: tuple = ()
    fate: str = ""               # "close": nothing is sent; "truncate": half of it
    late_s: float = 0.0          # how long it waits before it is sent
    date_off_s: float = 0.0      # by how much the Date header is wrong
    hops: Optional[int] = None   # how far the packets go


def text(status, words):
    return Reply(status, words.encode())


def as_json(status, value):
    return Reply(status, (json.dumps(value, indent=1) + "\n").encode(), "application/json")
