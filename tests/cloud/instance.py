"""One instance: its life, what it is charged for, and what EC2 says of it.

    pending ──▶ running ──▶ shutting-down ──▶ terminated
       ▲           │
       │           ▼
    stopped ◀── stopping        and from stopped and pending to shutting-down as well
"""

import dataclasses
from typing import Optional

from .shapes import Stamp

CODE = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}
EDGES = {("pending", "running"), ("pending", "shutting-down"), ("running", "stopping"), ("running", "shutting-down"),
         ("stopping", "stopped"), ("stopping", "shutting-down"), ("stopped", "pending"), ("stopped", "shutting-down"),
         ("shutting-down", "terminated"), ("pending", "terminated")}
BY_TIME = {"pending": "running", "stopping": "stopped", "shutting-down": "terminated"}
MINIMUM_S = 60

REASONS = {
    "Client.UserInitiatedShutdown": "Client.UserInitiatedShutdown: User initiated shutdown",
    "Client.InstanceInitiatedShutdown": "Client.InstanceInitiatedShutdown: Instance initiated shutdown",
    "Server.SpotInstanceTermination": "Server.SpotInstanceTermination: Spot instance termination",
    "Server.InternalError": "Server.InternalError: Internal error on launch",
}


@dataclasses.dataclass
class Volume:
    id: str
    device: str
    gib: int
    kind: str
    encrypted: bool
    delete: bool
    made: float
    gone: Optional[float] = None


@dataclasses.dataclass
class Instance:
    id: str
    serial: int          # launched in this order
    reservation: str
    index: int
    kind: str
    mib: int
    image: dict
    zone: str
    subnet: str
    private_ip: str
    public_ip: Optional[str]
    key_name: Optional[str]
    public_key: Optional[str]
    groups: list         # [(id, name)]
    user_data: bytes
    profile: Optional[str]
    metadata: dict       # tokens, hops, endpoint, tags
    spot_request: Optional[str]
    usd_per_hour: float
    on_shutdown: str     # what an ending from inside means: "stop" or "terminate"
    protected: bool
    token: Optional[str]
    owner: str
    tags: dict
    spot_tags: dict      # those of its spot request
    tagged_at_launch: bool
    volumes: list
    launched: float
    visible_from: float
    state: str = "pending"
    due: Optional[float] = None        # when time moves it on
    doomed: Optional[float] = None     # when it goes shutting-down
    doom: str = ""                     # and why
    reason: str = ""
    changed: float = 0.0               # when it entered its state
    running_since: Optional[float] = None
    charged: list = dataclasses.field(default_factory=list)  # [(from, to)] of ended runs
    notice: Optional[float] = None     # a spot machine's end, as its metadata service tells
    impaired: bool = False
    stillborn: bool = False

    def move(self, state, at, reason=""):
        """The one mover; at is when it happened, which may be a while ago."""
        assert (self.state, state) in EDGES, f"{self.id}: {self.state} to {state}"
        if state == "running":
            self.running_since = at
        elif self.running_since is not None:
            self.charged.append((self.running_since, at))
            self.running_since = None
        self.state, self.changed, self.due = state, at, None
        if reason:
            self.reason = reason
        if state == "pending":
            self.reason = ""
        if state == "terminated":
            for volume in self.volumes:
                volume.gone = at if volume.delete else None

    def alive(self):
        return self.state not in ("shutting-down", "terminated")

    def found(self, now, linger_s):
        """Whether the API knows it now."""
        return now >= self.visible_from and (self.state != "terminated" or now < self.changed + linger_s)

    def cost(self, now, volume_usd):
        """Dollars up to now: runs by the second and for a minute at the least, volumes for as long as they are."""
        runs = self.charged + ([(self.running_since, now)] if self.running_since is not None else [])
        seconds = sum(max(MINIMUM_S, end - begin) for begin, end in runs)
        disks = sum(v.gib * ((v.gone or now) - v.made) for v in self.volumes)
        return seconds / 3600 * self.usd_per_hour + disks * volume_usd / (30 * 86400)

    def seconds_charged(self, now):
        runs = self.charged + ([(self.running_since, now)] if self.running_since is not None else [])
        return sum(end - begin for begin, end in runs)

    def state_members(self):
        return {"code": CODE[self.state], "name": self.state}


def tag_members(tags):
    return [{"key": key, "value": value} for key, value in sorted(tags.items())] or None


def members(instance, region, profile_arn):
    """As DescribeInstances and RunInstances show it."""
    i, dead = instance, instance.state == "terminated"
    name = "ip-" + i.private_ip.replace(".", "-") + f".{region}.compute.internal"
    public = "" if dead or not i.public_ip else f"ec2-{i.public_ip.replace('.', '-')}.{region}.compute.amazonaws.com"
    return {
        "instanceId": i.id, "imageId": i.image["id"], "instanceState": i.state_members(),
        "privateDnsName": "" if dead else name, "dnsName": public, "reason": i.reason and "User initiated",
        "keyName": i.key_name, "amiLaunchIndex": i.index, "productCodes": [], "instanceType": i.kind,
        "launchTime": Stamp(i.launched),
        "placement": {"availabilityZone": i.zone, "groupName": "", "tenancy": "default"},
        "monitoring": {"state": "disabled"},
        "subnetId": None if dead else i.subnet, "vpcId": None if dead else "vpc-0be4700000000000a",
        "privateIpAddress": None if dead else i.private_ip, "ipAddress": None if dead else i.public_ip,
        "sourceDestCheck": None if dead else True,
        "groupSet": [] if dead else [{"groupId": g, "groupName": n} for g, n in i.groups],
        "stateReason": {"code": i.reason, "message": REASONS.get(i.reason, i.reason)} if i.reason else None,
        "architecture": i.image["arch"], "rootDeviceType": "ebs", "rootDeviceName": i.image["root"],
        "blockDeviceMapping": [] if dead else [{"deviceName": v.device, "ebs": {
            "volumeId": v.id, "status": "attached", "attachTime": Stamp(v.made), "deleteOnTermination": v.delete}}
            for v in i.volumes],
        "virtualizationType": "hvm", "instanceLifecycle": "spot" if i.spot_request else None,
        "spotInstanceRequestId": i.spot_request, "clientToken": i.token or "", "tagSet": tag_members(i.tags),
        "hypervisor": "xen", "iamInstanceProfile": i.profile and {"arn": profile_arn(i.profile), "id": "AIPA" + i.id[-16:].upper()},
        "ebsOptimized": False, "enaSupport": True,
        "metadataOptions": {"state": "applied", "httpTokens": i.metadata["tokens"],
                            "httpPutResponseHopLimit": i.metadata["hops"], "httpEndpoint": i.metadata["endpoint"],
                            "instanceMetadataTags": i.metadata["tags"]},
    }
