"""What tests and people do to the cloud from outside: /control/..., JSON, without a signature.

  GET    /control                      this
  GET    /control/ledger               what machines cost; ?format=text a table, ?tag=KEY or KEY=VALUE a part
  GET    /control/calls                the last calls
  POST   /control/clock                {"advance_s": 60} moves machines' time, {"skew_s": -900} the clock on the wire
  GET    /control/faults               the rules that hold (tests/cloud/faults.py has their fields)
  POST   /control/faults               one more rule, or {"rules": [...]}
  DELETE /control/faults               none any more
  POST   /control/config               changes of life, pages, throttle, capacity, limits
  POST   /control/keys                 {"AKIA...": {"secret": ..., "permissions": [...]}, "AKIB...": null}
  POST   /control/instances/ID         {"do": "interrupt", "notice_s": 120}, or "do": "end" (as by AWS), "poweroff"
                                       (from inside), "impair", "mend", "protect", "unprotect"
"""

from . import config as settings
from .account import Identity
from .ledger import ledger, table
from .wire import as_json, text


def answer(cloud, request):
    parts = [p for p in request.path.split("/") if p][1:]
    handler = ROUTES.get((request.method, parts[0] if parts else ""))
    if handler is None:
        return text(404, "there is no such thing; GET /control lists what there is\n")
    try:
        with cloud.lock:
            cloud.tick()
            reply = handler(cloud, request, parts[1:])
            cloud.tick()
            return reply
    except (ValueError, TypeError) as error:
        return as_json(400, {"error": str(error)})


def show_help(cloud, request, rest):
    del cloud, request, rest
    return text(200, __doc__)


def show_ledger(cloud, request, rest):
    del rest
    query = dict(request.query)
    book = ledger(cloud, query.get("tag"))
    return text(200, table(book)) if query.get("format") == "text" else as_json(200, book)


def show_calls(cloud, request, rest):
    del request, rest
    return as_json(200, {"calls": list(cloud.calls), "counts": dict(cloud.counts)})


def set_clock(cloud, request, rest):
    del rest
    told = request.json()
    if set(told) - {"advance_s", "skew_s"}:
        raise ValueError("the clock has advance_s and skew_s")
    cloud.clock.advance(float(told.get("advance_s", 0)))
    cloud.clock.skew_s = float(told.get("skew_s", cloud.clock.skew_s))
    return as_json(200, {"now": cloud.clock.now(), "wire_now": cloud.clock.wire_now()})


def show_faults(cloud, request, rest):
    del request, rest
    return as_json(200, {"rules": cloud.faults.show()})


def add_faults(cloud, request, rest):
    del rest
    told = request.json()
    rules = told["rules"] if "rules" in told else [told]
    return as_json(200, {"ids": [cloud.faults.add(rule) for rule in rules]})


def clear_faults(cloud, request, rest):
    del request, rest
    cloud.faults.clear()
    return as_json(200, {})


def change_config(cloud, request, rest):
    del rest
    told = request.json()
    fixed = set(told) - settings.AT_ANY_TIME
    if fixed:
        raise ValueError(f"{sorted(fixed)[0]} is set at the start; {', '.join(sorted(settings.AT_ANY_TIME))} at any time")
    settings.merge(cloud.config, told)
    return as_json(200, {name: cloud.config[name] for name in told})


def change_keys(cloud, request, rest):
    del rest
    account = cloud.account
    for key, value in request.json().items():
        if value is None:
            account.identities.pop(key, None)
        else:
            account.identities[key] = Identity(key, value["secret"], f"arn:aws:iam::{account.number}:user/{key.lower()}",
                                               tuple(value.get("permissions", ["*"])))
    return as_json(200, {"keys": sorted(account.identities)})


def change_instance(cloud, request, rest):
    told = request.json()
    instance = cloud.instances.get(rest[0] if rest else "")
    if instance is None:
        raise ValueError("there is no such instance")
    do, now = told.get("do"), cloud.clock.now()
    if do == "interrupt" and instance.spot_request:
        cloud.interrupt(instance, float(told.get("notice_s", cloud.config["spot"]["notice_s"])))
    elif do == "end":
        cloud.doom(instance, now, told.get("reason", "Server.InternalError"))
    elif do == "poweroff" and instance.state == "running":
        cloud.ended_inside(instance, now)
    elif do in ("impair", "mend"):
        instance.impaired = do == "impair"
    elif do in ("protect", "unprotect"):
        instance.protected = do == "protect"
    else:
        raise ValueError(f"{do!r} can't be done to {instance.id}, which is {instance.state}")
    cloud.tick()
    return as_json(200, {"id": instance.id, "state": instance.state})


ROUTES = {
    ("GET", ""): show_help, ("GET", "ledger"): show_ledger, ("GET", "calls"): show_calls,
    ("POST", "clock"): set_clock, ("GET", "faults"): show_faults, ("POST", "faults"): add_faults,
    ("DELETE", "faults"): clear_faults, ("POST", "config"): change_config, ("POST", "keys"): change_keys,
    ("POST", "instances"): change_instance,
}
