"""One call of EC2's or STS's query API: faults, signature, throttling, shape, permissions, and the handler."""

import dataclasses
import time
import uuid
from urllib.parse import parse_qsl

# Importing them registers their actions.
from . import groups, launch, lifecycle, region, resources, spot, sts, templates  # noqa: F401
from . import shapes, signature
from .account import Identity
from .actions import ACTIONS, VERSIONS, Call
from .errors import ApiError, ec2_error, sts_error
from .faults import TWISTS
from .wire import Reply

NOBODY = Identity("", "", "arn:aws:iam::000000000000:anonymous", ("*",))


@dataclasses.dataclass
class Exchange:
    """What is known of a call so far; what the log says of it."""
    request_id: str
    service: str = "ec2"
    name: str = "?"
    key: str = ""
    code: str = ""
    faults: list = dataclasses.field(default_factory=list)

    def fault(self, *kinds):
        return next((f for f in self.faults if f["kind"] in kinds), None)


def answer(cloud, request):
    exchange = Exchange(str(uuid.uuid4()))
    reply = respond(cloud, request, exchange)
    with cloud.lock:
        cloud.counts[exchange.name] += 1
        cloud.calls.append({"at": cloud.clock.now(), "action": exchange.name, "key": exchange.key, "status": reply.status,
                            "code": exchange.code, "faults": [f["kind"] for f in exchange.faults],
                            "request_id": exchange.request_id})
    return dress(exchange, reply)


def dress(exchange, reply):
    """The faults that strike the reply."""
    for fault in exchange.faults:
        if fault["kind"] == "slow":
            reply.late_s += fault.get("seconds", 1)
        elif fault["kind"] == "date":
            reply.date_off_s = fault.get("seconds", 3600)
        elif fault["kind"] in ("close", "lose"):
            reply.fate = "close"
        elif fault["kind"] == "truncate":
            reply.fate = "truncate"
        elif fault["kind"] == "garbage":
            reply.body = b"<html><body>" + reply.body[:200]
    return reply


def respond(cloud, request, exchange):
    try:
        pairs = parameters(request)
        named = dict(pairs)
        exchange.name = named.get("Action", "?")
        exchange.service = next((s for s, v in VERSIONS.items() if v == named.get("Version")), "ec2")
        with cloud.lock:
            cloud.forms.append(pairs)
            exchange.faults = cloud.faults.strike(exchange.name)
        for fault in exchange.faults:
            if fault["kind"] == "delay":
                time.sleep(fault.get("seconds", 1))
        early = stop_early(exchange)
        if early:
            return early
        with cloud.lock:
            body = perform(cloud, request, exchange, pairs)
        return Reply(200, body.encode(), "text/xml;charset=UTF-8", (("x-amzn-requestid", exchange.request_id),))
    except ApiError as error:
        return refusal(exchange, error)


def refusal(exchange, error):
    exchange.code = error.code
    write = sts_error if exchange.service == "sts" else ec2_error
    return Reply(error.status, write(error.code, error.message, exchange.request_id).encode(), "text/xml;charset=UTF-8",
                 (("x-amzn-requestid", exchange.request_id),))


def stop_early(exchange):
    """The reply of a fault that lets nothing be done."""
    if exchange.fault("close"):
        return Reply(500)
    page = exchange.fault("http")
    if page:
        message = page.get("message", "<html><body><h1>Bad Gateway</h1></body></html>")
        return Reply(int(page.get("status", 502)), message.encode(), "text/html")
    error = exchange.fault("error")
    if error:
        code = error.get("code", "InternalError")
        raise ApiError(code, error.get("message", "An internal error has occurred"), error.get("status"))
    return None


def parameters(request):
    """[(name, value)] of the form, or of the query for GET."""
    if request.method == "GET":
        return request.query
    try:
        return parse_qsl(request.body.decode(), keep_blank_values=True, max_num_fields=10000)
    except ValueError:
        raise ApiError("MalformedQueryString", "The form is not UTF-8 or has too many fields") from None


def look_up(named):
    name, told = named.get("Action"), named.get("Version")
    if not name:
        raise ApiError("MissingAction", "The request is missing an action or a required parameter.")
    found = ACTIONS.get(name)
    if found is None:
        raise ApiError("InvalidAction", f"The action {name} is not valid for this web service.")
    if VERSIONS[found.service] != told:
        raise ApiError("NoSuchVersion", f"The requested version ({told}) is not valid; {name} is of {VERSIONS[found.service]}.")
    return found


def perform(cloud, request, exchange, pairs):
    cloud.tick()
    named = dict(pairs)
    action = ACTIONS.get(named.get("Action"))
    identity = NOBODY
    if action is None or action.signed:
        signed = signature.Signed(request.method, request.query, request.headers, request.body)
        identity = signature.verify(signed, exchange.service, cloud.account, cloud.clock, cloud.catalog.region)
    exchange.key = identity.key
    action = look_up(named)
    cloud.throttle.take(action.name)
    asked = [(n, v) for n, v in pairs if n not in ("Action", "Version")]
    params = shapes.decode(action.shape, shapes.nest(asked))
    permit(action, params, identity)
    for name in action.required:
        if name not in params:
            raise ApiError("MissingParameter", f"The request must contain the parameter {name}")
    twist = exchange.fault(*TWISTS)
    call = Call(action, params, identity, cloud.clock.now(), repr(sorted(asked)), twist["kind"] if twist else "")
    members = action.handler(cloud, call)
    return shapes.answer(action.service, action.name, members, exchange.request_id)


def permit(action, params, identity):
    """Permissions, and the end of a dry run."""
    wanted = [f"{action.service}:{action.name}", *action.needs(params)]
    missing = [w for w in wanted if not identity.may(w)]
    if missing and action.name != "GetCallerIdentity":
        code = "UnauthorizedOperation" if action.service == "ec2" else "AccessDenied"
        raise ApiError(code, f"You are not authorized to perform this operation. User: {identity.arn} is not authorized "
                       f"to perform: {missing[0]} because no identity-based policy allows the {missing[0]} action")
    if params.get("DryRun"):
        raise ApiError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
