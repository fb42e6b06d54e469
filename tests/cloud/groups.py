"""Security groups and their rules."""

import ipaddress
import re

from .actions import FILTERS, PAGED, TAG_SPECIFICATIONS, action
from .errors import ApiError, invalid
from .instance import tag_members
from .pages import page, select
from .resources import tags_for

PERMISSIONS = [{
    "IpProtocol": str, "FromPort": int, "ToPort": int,
    "IpRanges": [{"CidrIp": str, "Description": str}],
    "Ipv6Ranges": [{"CidrIpv6": str, "Description": str}],
    "Groups": [{"GroupId": str, "UserId": str, "Description": str}],
}]
NAME = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}")
PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp"}


@action("CreateSecurityGroup", {"GroupName": str, "GroupDescription": str, "VpcId": str,
                                "TagSpecification": TAG_SPECIFICATIONS}, ("GroupName", "GroupDescription"))
def create(cloud, call):
    name, description = call.params["GroupName"], call.params["GroupDescription"]
    vpc = call.get("VpcId", cloud.catalog.vpc)
    if not NAME.fullmatch(name) or name.startswith("sg-"):
        raise invalid(name, "groupName", "Character sets beyond ASCII are not supported, nor names that begin with sg-.")
    if not NAME.fullmatch(description):
        raise invalid(description, "GroupDescription", "Character sets beyond ASCII are not supported.")
    if vpc != cloud.catalog.vpc:
        raise ApiError("InvalidVpcID.NotFound", f"The vpc ID '{vpc}' does not exist")
    if any(g["name"] == name for g in cloud.groups.values()):
        raise ApiError("InvalidGroup.Duplicate", f"The security group '{name}' already exists for VPC '{vpc}'")
    group = cloud.new_group(name, description, vpc, tags_for(call.list("TagSpecification"), "security-group"))
    return {"return": True, "groupId": group["id"], "tagSet": tag_members(group["tags"])}


def find(cloud, group_id):
    if group_id not in cloud.groups:
        raise ApiError("InvalidGroup.NotFound", f"The security group '{group_id}' does not exist")
    return cloud.groups[group_id]


@action("DeleteSecurityGroup", {"GroupId": str, "GroupName": str})
def delete(cloud, call):
    named = [g["id"] for g in cloud.groups.values() if g["name"] == call.get("GroupName")]
    group = find(cloud, call.get("GroupId") or (named or [call.get("GroupName")])[0])
    if group["name"] == "default":
        raise ApiError("CannotDelete", "the specified group: \"default\" name: \"default\" cannot be deleted by a user")
    used = any(g == group["id"] for i in cloud.instances.values() if i.state != "terminated" for g, _ in i.groups)
    named = any(r.get("group") == group["id"] for g in cloud.groups.values() if g is not group
                for r in g["ingress"] + g["egress"])
    if used or named:
        raise ApiError("DependencyViolation", f"resource {group['id']} has a dependent object")
    del cloud.groups[group["id"]]
    return {"return": True, "groupId": group["id"]}


# --- rules ---

def check_cidr(text, version):
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        network = None
    if network is None or network.version != version:
        raise ApiError("InvalidParameterValue", f"CIDR block {text} is malformed")
    return str(network)


def flatten(cloud, permission):
    """One rule for each source that the permission names."""
    protocol = permission.get("IpProtocol", "")
    protocol = PROTOCOLS.get(protocol, protocol)
    if protocol not in ("tcp", "udp", "icmp", "icmpv6", "-1"):
        raise ApiError("InvalidPermission.Malformed", f"Unsupported IP protocol \"{protocol}\" - supported: [tcp, udp, icmp, -1]")
    base = {"protocol": protocol}
    if protocol != "-1":
        low, high = permission.get("FromPort"), permission.get("ToPort")
        least = -1 if protocol.startswith("icmp") else 0
        if low is None or high is None or not least <= low <= high <= 65535:
            raise ApiError("InvalidParameterValue", f"Invalid value for portRange. Must be a valid range: {low}-{high}")
        base.update(low=low, high=high)
    rules = [dict(base, range=check_cidr(r.get("CidrIp", ""), 4), about=r.get("Description"))
             for r in permission.get("IpRanges", [])]
    rules += [dict(base, range6=check_cidr(r.get("CidrIpv6", ""), 6), about=r.get("Description"))
              for r in permission.get("Ipv6Ranges", [])]
    rules += [dict(base, group=find(cloud, g.get("GroupId"))["id"], about=g.get("Description"))
              for g in permission.get("Groups", [])]
    if not rules:
        raise ApiError("MissingParameter", "The request must contain IpRanges, Ipv6Ranges or Groups")
    return rules


def same(rule):
    return {k: v for k, v in rule.items() if k != "about"}


def change(cloud, call, side, add):
    group = find(cloud, call.params["GroupId"])
    rules = [rule for p in call.params["IpPermissions"] for rule in flatten(cloud, p)]
    there = [same(rule) for rule in group[side]]
    if add:
        double = [r for r in rules if same(r) in there]
        if double:
            raise ApiError("InvalidPermission.Duplicate", f"the specified rule \"{describe_rule(double[0])}\" already exists")
        group[side] += rules
        return {"return": True}
    missing = [r for r in rules if same(r) not in there]
    if missing:
        raise ApiError("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
    gone = [same(r) for r in rules]
    group[side] = [r for r in group[side] if same(r) not in gone]
    return {"return": True}


def describe_rule(rule):
    source = rule.get("range") or rule.get("range6") or rule.get("group")
    return f"peer: {source}, {rule['protocol']}, from port: {rule.get('low')}, to port: {rule.get('high')}, ALLOW"


def register(name, side, add):
    @action(name, {"GroupId": str, "IpPermissions": PERMISSIONS}, ("GroupId", "IpPermissions"))
    def handler(cloud, call):
        return change(cloud, call, side, add)
    return handler


for _name, _side, _add in (("AuthorizeSecurityGroupIngress", "ingress", True),
                           ("AuthorizeSecurityGroupEgress", "egress", True),
                           ("RevokeSecurityGroupIngress", "ingress", False),
                           ("RevokeSecurityGroupEgress", "egress", False)):
    register(_name, _side, _add)


# --- what there is ---

def permissions(cloud, rules):
    """EC2 gathers what has the same protocol and ports."""
    kinds = {}
    for rule in rules:
        kinds.setdefault((rule["protocol"], rule.get("low"), rule.get("high")), []).append(rule)
    return [{
        "ipProtocol": protocol, "fromPort": low, "toPort": high,
        "groups": [{"groupId": r["group"], "userId": cloud.account.number, "description": r.get("about")}
                   for r in same_kind if "group" in r],
        "ipRanges": [{"cidrIp": r["range"], "description": r.get("about")} for r in same_kind if "range" in r],
        "ipv6Ranges": [{"cidrIpv6": r["range6"], "description": r.get("about")} for r in same_kind if "range6" in r],
        "prefixListIds": [],
    } for (protocol, low, high), same_kind in kinds.items()]


def show(cloud, group):
    return {"ownerId": cloud.account.number, "groupId": group["id"], "groupName": group["name"],
            "groupDescription": group["description"], "vpcId": group["vpc"],
            "ipPermissions": permissions(cloud, group["ingress"]),
            "ipPermissionsEgress": permissions(cloud, group["egress"]), "tagSet": tag_members(group["tags"])}


@action("DescribeSecurityGroups", dict(PAGED, GroupId=[str], GroupName=[str], Filter=FILTERS))
def describe(cloud, call):
    rows = sorted(cloud.groups.values(), key=lambda g: g["id"])
    if call.list("GroupId"):
        wanted = {find(cloud, g)["id"] for g in call.list("GroupId")}
        rows = [g for g in rows if g["id"] in wanted]
    for name in call.list("GroupName"):
        if all(g["name"] != name for g in rows):
            raise ApiError("InvalidGroup.NotFound", f"The security group '{name}' does not exist in default VPC")
    rows = [g for g in rows if not call.list("GroupName") or g["name"] in call.list("GroupName")]
    fields = {"group-id": lambda g: g["id"], "group-name": lambda g: g["name"], "vpc-id": lambda g: g["vpc"],
              "description": lambda g: g["description"], "owner-id": lambda g: cloud.account.number}
    rows = select(rows, call.list("Filter"), fields, lambda g: g["tags"])
    rows, token = page(cloud, call, rows, lambda g: g["id"])
    return {"securityGroupInfo": [show(cloud, g) for g in rows], "nextToken": token}
