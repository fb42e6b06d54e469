"""Spot requests as they stand behind spot machines: one-time, fulfilled at once."""

from .actions import FILTERS, PAGED, action
from .clock import iso
from .errors import ApiError
from .instance import tag_members
from .pages import page, select
from .shapes import Stamp

WORDS = {
    "fulfilled": "Your Spot request is fulfilled.",
    "marked-for-termination": "Your Spot Instance is marked for termination.",
    "instance-terminated-no-capacity": "Your Spot Instance was terminated because there is no more capacity.",
    "instance-terminated-by-user": "Spot Instance terminated due to user-initiated termination.",
}


def status(instance):
    if not instance.alive():
        taken = instance.reason == "Server.SpotInstanceTermination"
        return "instance-terminated-no-capacity" if taken else "instance-terminated-by-user"
    return "marked-for-termination" if instance.notice else "fulfilled"


def state(instance):
    return "active" if instance.alive() else "closed"


FIELDS = {
    "spot-instance-request-id": lambda i: i.spot_request, "instance-id": lambda i: i.id, "state": state,
    "status-code": status, "launched-availability-zone": lambda i: i.zone, "type": lambda i: "one-time",
    "create-time": lambda i: iso(i.launched), "launch.instance-type": lambda i: i.kind,
}


@action("DescribeSpotInstanceRequests", dict(PAGED, SpotInstanceRequestId=[str], Filter=FILTERS))
def describe(cloud, call):
    linger = cloud.config["life"]["linger_s"]
    rows = [i for i in cloud.instances.values() if i.spot_request and i.found(call.now, linger)]
    wanted = call.list("SpotInstanceRequestId")
    missing = [one for one in wanted if one not in {i.spot_request for i in rows}]
    if missing:
        raise ApiError("InvalidSpotInstanceRequestID.NotFound", f"The spot instance request ID '{missing[0]}' does not exist")
    rows = [i for i in rows if not wanted or i.spot_request in wanted]
    rows = select(rows, call.list("Filter"), FIELDS, lambda i: i.spot_tags)
    rows, token = page(cloud, call, rows, lambda i: i.serial)
    return {"spotInstanceRequestSet": [show(i) for i in rows], "nextToken": token}


def show(instance):
    code = status(instance)
    return {"spotInstanceRequestId": instance.spot_request, "spotPrice": f"{instance.usd_per_hour:.6f}", "type": "one-time",
            "state": state(instance), "status": {"code": code, "message": WORDS[code], "updateTime": Stamp(instance.changed)},
            "instanceId": instance.id, "createTime": Stamp(instance.launched), "productDescription": "Linux/UNIX",
            "launchedAvailabilityZone": instance.zone, "instanceInterruptionBehavior": "terminate",
            "tagSet": tag_members(instance.spot_tags)}
