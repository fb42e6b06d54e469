"""The query API's two shapes: `Filter.1.Name=...` into typed values, and Python values into EC2's XML.

A shape is a dict of names, a list of one shape, or one of the scalars below. What a shape does not name is refused
as EC2 does: a misspelt parameter never passes unseen.
"""

import base64
import binascii
import re
from xml.sax.saxutils import escape

from .clock import iso, seconds_of
from .errors import ApiError

NAMESPACE = {"ec2": "http://ec2.amazonaws.com/doc/2016-11-15/", "sts": "https://sts.amazonaws.com/doc/2011-06-15/"}
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class Blob:
    """Base64 on the wire, bytes inside."""


class When:
    """An ISO 8601 time on the wire, seconds since the epoch inside."""


def nest(pairs):
    """[("A.1.B", "x")] -> {"A": {"1": {"B": "x"}}}"""
    tree = {}
    for name, value in pairs:
        at, parts = tree, name.split(".")
        if len(parts) > 12 or not all(parts):
            raise ApiError("InvalidParameter", f"The parameter {name} is not recognized")
        for part in parts[:-1]:
            at = at.setdefault(part, {})
            if not isinstance(at, dict):
                raise ApiError("InvalidParameter", f"The parameter {name} is both a value and a structure")
        if parts[-1] in at:
            raise ApiError("InvalidParameterCombination", f"The parameter {name} is given twice")
        at[parts[-1]] = value
    return tree


def decode(shape, tree, path=""):
    if isinstance(shape, dict):
        return decode_members(shape, tree, path)
    if isinstance(shape, list):
        return decode_list(shape[0], tree, path)
    if not isinstance(tree, str):
        raise ApiError("InvalidParameter", f"The parameter {path} is a value, not a structure")
    return decode_scalar(shape, tree, path)


def decode_members(shape, tree, path):
    if not isinstance(tree, dict):
        raise ApiError("InvalidParameter", f"The parameter {path} is a structure, not a value")
    out = {}
    for name, value in tree.items():
        whole = f"{path}.{name}" if path else name
        if name not in shape:
            raise ApiError("UnknownParameter", f"The parameter {whole} is not recognized")
        out[name] = decode(shape[name], value, whole)
    return out


def decode_list(item, tree, path):
    if not isinstance(tree, dict) or not all(n.isdecimal() and 0 < int(n) <= 1000 for n in tree):
        raise ApiError("InvalidParameter", f"The parameter {path} is a list: {path}.1, {path}.2, ...")
    return [decode(item, tree[n], f"{path}.{n}") for n in sorted(tree, key=int)]


def decode_scalar(shape, text, path):
    try:
        if shape is int:
            return int(text)
        if shape is bool:
            return {"true": True, "false": False}[text.lower()]
        if shape is When:
            return seconds_of(text)
        if shape is Blob:
            return base64.b64decode(text, validate=True)
    except (ValueError, KeyError, binascii.Error):
        kind = {int: "integer", bool: "boolean", When: "ISO 8601 time", Blob: "Base64 text"}[shape]
        raise ApiError("InvalidParameterValue", f"Invalid value '{text}' for {path}. Must be of type {kind}") from None
    return text


class Stamp(float):
    """Seconds since the epoch that become an ISO 8601 time."""


def text_of(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Stamp):
        return iso(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return escape(NOT_XML.sub("", str(value)))


def render(name, value):
    """None is left out; of a list each element becomes an <item>."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return f"<{name}>" + "".join(render(n, v) for n, v in value.items()) + f"</{name}>"
    if isinstance(value, (list, tuple)):
        return f"<{name}>" + "".join(render("item", v) for v in value) + f"</{name}>"
    return f"<{name}>{text_of(value)}</{name}>"


def answer(service, action, members, request_id):
    """The whole document."""
    if service == "sts":
        inside = render(f"{action}Result", members) + f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
    else:
        inside = f"<requestId>{request_id}</requestId>" + "".join(render(n, v) for n, v in members.items())
    return (f'<?xml version="1.0" encoding="UTF-8"?>\n<{action}Response xmlns="{NAMESPACE[service]}">'
            f"{inside}</{action}Response>")
