"""What is done to instances and asked of them."""

import re

from . import launch
from .actions import FILTERS, PAGED, action
from .clock import iso
from .errors import ApiError
from .instance import CODE, members
from .pages import page, select
from .shapes import Stamp

ID = re.compile(r"i-([0-9a-f]{8}|[0-9a-f]{17})")
IDS = {"InstanceId": [str]}


def find(cloud, ids, now):
    """All of them, or an error: one bad id spoils the call."""
    bad = [i for i in ids if not ID.fullmatch(i)]
    if bad:
        raise ApiError("InvalidInstanceID.Malformed", f'Invalid id: "{bad[0]}"')
    linger = cloud.config["life"]["linger_s"]
    missing = [i for i in ids if i not in cloud.instances or not cloud.instances[i].found(now, linger)]
    if missing:
        what = f"ID '{missing[0]}' does" if len(missing) == 1 else f"IDs '{', '.join(missing)}' do"
        raise ApiError("InvalidInstanceID.NotFound", f"The instance {what} not exist")
    return [cloud.instances[i] for i in dict.fromkeys(ids)]


def change(instance, before):
    return {"instanceId": instance.id, "currentState": instance.state_members(),
            "previousState": {"code": CODE[before], "name": before}}


@action("TerminateInstances", IDS, ("InstanceId",))
def terminate(cloud, call):
    found = find(cloud, call.params["InstanceId"], call.now)
    protected = [i for i in found if i.protected]
    if protected:
        raise ApiError("OperationNotPermitted", f"The instance '{protected[0].id}' may not be terminated. Modify its "
                       "'disableApiTermination' instance attribute and try again.")
    cloud.throttle.take("TerminateInstances/machines", len(found))
    before = {i.id: i.state for i in found}
    if call.twist == "forget":
        return {"instancesSet": [{"instanceId": i.id, "currentState": {"code": 32, "name": "shutting-down"},
                                  "previousState": i.state_members()} for i in found]}
    delay = cloud.config["life"]["terminate_delay_s"]
    for instance in found:
        cloud.doom(instance, call.now + delay, "Client.UserInitiatedShutdown")
        cloud.advance(instance, call.now)
    shown = [change(i, before[i.id]) for i in found]
    for one in shown:
        if one["currentState"]["name"] not in ("shutting-down", "terminated"):
            one["currentState"] = {"code": 32, "name": "shutting-down"}
    return {"instancesSet": shown}


def wrong_state(instance, what):
    return ApiError("IncorrectInstanceState", f"The instance '{instance.id}' is not in a state from which it can be {what}.")


@action("StopInstances", dict(IDS, Force=bool, Hibernate=bool), ("InstanceId",))
def stop(cloud, call):
    found = find(cloud, call.params["InstanceId"], call.now)
    for instance in found:
        if instance.spot_request:
            raise ApiError("UnsupportedOperation", f"You can't stop the Spot Instance '{instance.id}' because it is "
                           "associated with a one-time Spot Instance request.")
        if instance.state not in ("running", "stopping", "stopped"):
            raise wrong_state(instance, "stopped")
    before = {i.id: i.state for i in found}
    for instance in found:
        if instance.state == "running":
            cloud.stop(instance, call.now, "Client.UserInitiatedShutdown")
    return {"instancesSet": [change(i, before[i.id]) for i in found]}


@action("StartInstances", IDS, ("InstanceId",))
def start(cloud, call):
    found = find(cloud, call.params["InstanceId"], call.now)
    for instance in found:
        if instance.state not in ("stopped", "running", "pending"):
            raise wrong_state(instance, "started")
    wake = [i for i in found if i.state == "stopped"]
    check_room(cloud, wake)
    cloud.throttle.take("StartInstances/machines", len(found))
    before = {i.id: i.state for i in found}
    for instance in wake:
        instance.move("pending", call.now)
        instance.launched = call.now
        cloud.boot(instance, call.now)
    return {"instancesSet": [change(i, before[i.id]) for i in found]}


def check_room(cloud, wake):
    """A stopped machine has no place reserved for it: a start can meet what a launch meets."""
    for instance in wake:
        launch.check_limits(cloud, instance.kind, 1, "")
        plan = launch.Plan(instance.kind, instance.image, [], [], "", "", [], {})
        if launch.free(cloud, plan, instance.zone) < 1:
            raise ApiError("InsufficientInstanceCapacity", f"We currently do not have sufficient {instance.kind} capacity "
                           f"in the Availability Zone you requested ({instance.zone}).")


@action("GetConsoleOutput", {"InstanceId": str, "Latest": bool}, ("InstanceId",))
def console(cloud, call):
    instance = find(cloud, [call.params["InstanceId"]], call.now)[0]
    return {"instanceId": instance.id, "timestamp": Stamp(call.now), "output": cloud.machines.console(instance.id)}


# --- lists ---

FIELDS = {
    "instance-id": lambda i: i.id, "instance-state-name": lambda i: i.state,
    "instance-state-code": lambda i: CODE[i.state], "instance-type": lambda i: i.kind,
    "image-id": lambda i: i.image["id"], "availability-zone": lambda i: i.zone, "subnet-id": lambda i: i.subnet,
    "client-token": lambda i: i.token or "", "key-name": lambda i: i.key_name, "reservation-id": lambda i: i.reservation,
    "private-ip-address": lambda i: i.private_ip, "ip-address": lambda i: i.public_ip,
    "instance-lifecycle": lambda i: "spot" if i.spot_request else None, "launch-time": lambda i: iso(i.launched),
    "instance.group-id": lambda i: [g for g, _ in i.groups], "instance.group-name": lambda i: [n for _, n in i.groups],
    "architecture": lambda i: i.image["arch"], "root-device-type": lambda i: "ebs",
    "spot-instance-request-id": lambda i: i.spot_request, "state-reason-code": lambda i: i.reason,
}


def rows_of(cloud, call):
    """The instances that a Describe call is about, in the order of their launch."""
    if call.list("InstanceId"):
        if call.get("MaxResults") is not None:
            raise ApiError("InvalidParameterCombination", "The parameter instancesSet cannot be used with the parameter "
                           "maxResults")
        return sorted(find(cloud, call.params["InstanceId"], call.now), key=lambda i: i.serial)
    linger = cloud.config["life"]["linger_s"]
    return [i for i in cloud.instances.values() if i.found(call.now, linger)]


@action("DescribeInstances", dict(PAGED, InstanceId=[str], Filter=FILTERS))
def describe(cloud, call):
    rows = select(rows_of(cloud, call), call.list("Filter"), FIELDS)
    rows, token = page(cloud, call, rows, lambda i: i.serial)
    reservations = {}
    for instance in rows:
        reservations.setdefault(instance.reservation, []).append(instance)
    return {"reservationSet": [{
        "reservationId": name, "ownerId": cloud.account.number, "groupSet": [],
        "instancesSet": [members(i, cloud.catalog.region, cloud.account.profile_arn) for i in inside]}
        for name, inside in reservations.items()], "nextToken": token}


def checks(cloud, instance, now):
    if instance.state != "running":
        return "not-applicable"
    if instance.impaired:
        return "impaired"
    return "ok" if now >= instance.changed + cloud.config["life"]["initializing_s"] else "initializing"


@action("DescribeInstanceStatus", dict(PAGED, InstanceId=[str], Filter=FILTERS, IncludeAllInstances=bool))
def describe_status(cloud, call):
    rows = rows_of(cloud, call)
    if not call.get("IncludeAllInstances"):
        rows = [i for i in rows if i.state == "running"]
    fields = {name: FIELDS[name] for name in ("availability-zone", "instance-state-name", "instance-state-code")}
    for name in ("instance-status.status", "system-status.status"):
        fields[name] = lambda i: checks(cloud, i, call.now)
    rows = select(rows, call.list("Filter"), fields)
    rows, token = page(cloud, call, rows, lambda i: i.serial)
    return {"instanceStatusSet": [show_status(i, checks(cloud, i, call.now)) for i in rows], "nextToken": token}


def show_status(instance, status):
    detail = {"ok": "passed", "impaired": "failed", "initializing": "initializing"}.get(status)
    summary = {"status": status, "details": [{"name": "reachability", "status": detail}] if detail else None}
    events = [{"code": "instance-stop", "description": "The instance is to end", "notBefore": Stamp(instance.notice)}] \
        if instance.notice and instance.alive() else None
    return {"instanceId": instance.id, "availabilityZone": instance.zone, "eventsSet": events,
            "instanceState": instance.state_members(), "systemStatus": summary, "instanceStatus": summary}
