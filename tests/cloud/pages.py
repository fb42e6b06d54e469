"""Filters and pages, the same for all that is listed."""

import base64
import fnmatch
import hashlib
import json

from .errors import ApiError, invalid


def fits(value, patterns):
    """Filters know * and ? and, in our words, no [brackets]."""
    return any(fnmatch.fnmatchcase(value, p.replace("[", "[[]")) for p in patterns)


def select(rows, filters, fields, tags=lambda row: row.tags):
    """The rows that pass all filters; `fields`: {filter name: row -> text or list of texts}. tag:KEY, tag-key and
    tag-value are everybody's."""
    for one in filters:
        name, values = one.get("Name", ""), one.get("Value", [])
        if not values:
            raise ApiError("InvalidParameterValue", f"The filter '{name}' has no values")
        if len(values) > 200:
            raise ApiError("FilterLimitExceeded", "The maximum number of filter values specified on a single call is 200")
        look = field(name, fields, tags)
        rows = [row for row in rows if any(fits(v, values) for v in texts(look(row)))]
    return rows


def field(name, fields, tags):
    if name.startswith("tag:"):
        return lambda row: tags(row).get(name[4:])
    if name in ("tag-key", "tag-value"):
        return lambda row: list(tags(row) if name == "tag-key" else tags(row).values())
    if name not in fields:
        raise ApiError("InvalidParameterValue", f"The filter '{name}' is invalid")
    return fields[name]


def texts(value):
    if value is None:
        return []
    if isinstance(value, bool):
        return ["true" if value else "false"]
    return [str(v) for v in value] if isinstance(value, (list, tuple)) else [str(value)]


def question(call):
    """What a page's token is good for: the same question only."""
    about = {k: v for k, v in call.params.items() if k not in ("NextToken", "MaxResults")}
    return hashlib.sha256(json.dumps([call.action.name, about], sort_keys=True, default=str).encode()).hexdigest()[:16]


def begin(call):
    """(after which key to go on, how many pages came before)"""
    token = call.get("NextToken")
    if not token:
        return None, 0
    try:
        about, key, number = json.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        about = key = number = None
    if about != question(call):
        raise ApiError("InvalidParameterValue", "Unable to parse pagination token")
    return key, number


def page(cloud, call, rows, key, least=5):
    """(rows of this page, token or None). `rows` ascend by key(row); what comes and goes between two pages moves none
    of the others."""
    most = call.get("MaxResults")
    if most is not None and not least <= most <= 1000:
        raise invalid(most, "maxResults", f"Expecting a value between {least} and 1000.")
    after, number = begin(call)
    rows = rows if after is None else [row for row in rows if key(row) > after]
    size = length(cloud, min(most or 1000, cloud.config["pages"]["max"]), number)
    if len(rows) <= size:
        return rows, None
    last = key(rows[size - 1]) if size else after
    token = json.dumps([question(call), last, number + 1]).encode()
    return rows[:size], base64.urlsafe_b64encode(token).decode()


def length(cloud, most, number):
    kind = cloud.config["pages"]["kind"]
    if kind == "short":
        # Never two empty ones in a row: a client that reads on gets to the end.
        return cloud.random.randint(number % 2, most)
    if kind == "empty" and number % 2 == 0:
        return 0
    return most
