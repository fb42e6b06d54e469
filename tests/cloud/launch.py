"""RunInstances."""

import dataclasses
import fnmatch

from . import templates
from .actions import TAG_SPECIFICATIONS, action
from .errors import ApiError, invalid
from .instance import Instance, Volume, members
from .resources import tags_for
from .shapes import Blob

TOKEN_HOLDS_S = 86400
VOLUME_TYPES = ("standard", "gp2", "gp3", "io1", "io2", "st1", "sc1")

RUN = dict(templates.DATA, MinCount=int, MaxCount=int, ClientToken=str, UserData=Blob, SubnetId=str,
           TagSpecification=TAG_SPECIFICATIONS, LaunchTemplate=templates.REFERENCE)


@dataclasses.dataclass
class Launch:
    """What a ClientToken stands for."""
    raw: str
    at: float
    ids: list


@dataclasses.dataclass
class Plan:
    """A request that has been found right."""
    kind: str
    image: dict
    subnets: list  # in order of preference
    groups: list
    market: str    # "spot" or ""
    profile: str
    volumes: list  # [(device, gib, kind, encrypted, delete)]
    tags: dict     # by resource type


def needs(params):
    if params.get("TagSpecification"):
        yield "ec2:CreateTags"
    if params.get("IamInstanceProfile"):
        yield "iam:PassRole"


@action("RunInstances", RUN, ("MinCount", "MaxCount"), needs=needs)
def run_instances(cloud, call):
    known = recall(cloud, call)
    if known:
        return reservation(cloud, known)
    params = templates.apply(cloud, call.params)
    plan = check(cloud, call, params)
    # From here on the token means these parameters, also if there is no room for them.
    launch = Launch(call.raw, call.now, [])
    if call.get("ClientToken"):
        cloud.launches[call.identity.arn, call.get("ClientToken")] = launch
    cloud.throttle.take("RunInstances/machines", params["MaxCount"])
    subnet, count = find_room(cloud, plan, params)
    first = cloud.new_id("r")
    for index in range(count):
        instance = create(cloud, call, params, plan, subnet, first, index)
        launch.ids.append(instance.id)
        cloud.add(instance)
    return reservation(cloud, launch)


def recall(cloud, call):
    """The launch that the token stands for already, if it launched anything."""
    token = call.get("ClientToken")
    if token and len(token) > 64:
        raise ApiError("InvalidParameterValue", "The client token is longer than 64 characters")
    launch = cloud.launches.get((call.identity.arn, token)) if token else None
    if launch is None or call.now >= launch.at + TOKEN_HOLDS_S:
        return None
    if launch.raw != call.raw:
        raise ApiError("IdempotentParameterMismatch", "Arguments on this idempotent request are inconsistent with "
                       "arguments used in previous request(s).")
    if not launch.ids:
        return None
    if all(cloud.instances[i].state == "terminated" for i in launch.ids):
        raise ApiError("IdempotentInstanceTerminated", "The request to launch an instance uses the same client token "
                       "as a previous request for which the instance has been terminated.")
    return launch


def reservation(cloud, launch):
    shown = [cloud.instances[i] for i in launch.ids]
    return {"reservationId": shown[0].reservation, "ownerId": cloud.account.number, "groupSet": [],
            "instancesSet": [members(i, cloud.catalog.region, cloud.account.profile_arn) for i in shown]}


# --- what was asked for ---

def check(cloud, call, params):
    least, most = params["MinCount"], params["MaxCount"]
    if not 1 <= least <= most:
        raise invalid(least, "minCount", "Expecting 1 <= minCount <= maxCount.")
    image = check_image(cloud, params.get("ImageId"))
    kind = params.get("InstanceType", "m1.small")
    if kind not in cloud.catalog.types:
        raise ApiError("InvalidParameterValue", f"Invalid value '{kind}' for InstanceType.")
    if cloud.catalog.types[kind]["arch"] != image["arch"]:
        raise ApiError("InvalidParameterValue", f"The architecture '{cloud.catalog.types[kind]['arch']}' of the "
                       f"specified instance type does not match the architecture '{image['arch']}' of the specified AMI.")
    if params.get("KeyName") is not None and params["KeyName"] not in cloud.keys:
        raise ApiError("InvalidKeyPair.NotFound", f"The key pair '{params['KeyName']}' does not exist")
    if len(params.get("UserData", b"")) > 16384:
        raise ApiError("InvalidParameterValue", "User data is limited to 16384 bytes")
    if params.get("InstanceInitiatedShutdownBehavior", "stop") not in ("stop", "terminate"):
        raise invalid(params["InstanceInitiatedShutdownBehavior"], "instanceInitiatedShutdownBehavior", "")
    check_metadata(params.get("MetadataOptions", {}))
    interface = check_interface(params)
    return Plan(kind, image, check_subnets(cloud, params, interface), check_groups(cloud, params, interface),
                check_market(params), check_profile(cloud, params.get("IamInstanceProfile")),
                check_volumes(params.get("BlockDeviceMapping", []), image),
                {t: tags_for(params.get("TagSpecification", []), t, LAUNCHED) for t in ("instance", "volume", "spot-instances-request")})


LAUNCHED = ("instance", "volume", "network-interface", "spot-instances-request", "elastic-gpu")


def check_image(cloud, image_id):
    if not image_id:
        raise ApiError("MissingParameter", "The request must contain the parameter ImageId")
    if not image_id.startswith("ami-"):
        raise ApiError("InvalidAMIID.Malformed", f'Invalid id: "{image_id}" (expecting "ami-...")')
    if image_id not in cloud.catalog.images:
        raise ApiError("InvalidAMIID.NotFound", f"The image id '[{image_id}]' does not exist")
    return cloud.catalog.images[image_id]


def check_metadata(options):
    if options.get("HttpTokens", "optional") not in ("optional", "required"):
        raise invalid(options["HttpTokens"], "HttpTokens", "Expecting optional or required.")
    if not 1 <= options.get("HttpPutResponseHopLimit", 1) <= 64:
        raise invalid(options["HttpPutResponseHopLimit"], "HttpPutResponseHopLimit", "Expecting 1 to 64.")
    for name in ("HttpEndpoint", "InstanceMetadataTags"):
        if options.get(name, "enabled") not in ("enabled", "disabled"):
            raise invalid(options[name], name, "Expecting enabled or disabled.")


def check_interface(params):
    """The one network interface that may be described instead of subnet and groups."""
    interfaces = params.get("NetworkInterface", [])
    if not interfaces:
        return {}
    if len(interfaces) > 1 or interfaces[0].get("DeviceIndex") != 0:
        raise ApiError("Unsupported", "This cloud's machines have one network interface, of device index 0")
    for name, words in (("SubnetId", "subnet ID"), ("SecurityGroupId", "security groups")):
        if params.get(name):
            raise ApiError("InvalidParameterCombination", f"Network interfaces and an instance-level {words} may not be "
                           "specified on the same request")
    return interfaces[0]


def check_subnets(cloud, params, interface):
    catalog, zone = cloud.catalog, params.get("Placement", {}).get("AvailabilityZone")
    subnet_id = interface.get("SubnetId") or params.get("SubnetId")
    if subnet_id:
        if subnet_id not in catalog.subnets:
            raise ApiError("InvalidSubnetID.NotFound", f"The subnet ID '{subnet_id}' does not exist")
        subnet = catalog.subnets[subnet_id]
        if zone and zone != subnet["zone"]:
            raise invalid(zone, "availabilityZone", f"The subnet '{subnet_id}' is in {subnet['zone']}.")
        return [subnet]
    if zone and zone not in catalog.zones:
        raise ApiError("InvalidParameterValue", f"Invalid availability zone: [{zone}]")
    return [catalog.default_subnet(z) for z in ([zone] if zone else catalog.zones)]


def check_groups(cloud, params, interface):
    wanted = interface.get("SecurityGroupId") or params.get("SecurityGroupId", [])
    missing = [g for g in wanted if g not in cloud.groups]
    if missing:
        raise ApiError("InvalidGroup.NotFound", f"The security group '{missing[0]}' does not exist")
    return [cloud.groups[g] for g in wanted] or [cloud.default_group()]


def check_market(params):
    options = params.get("InstanceMarketOptions")
    if not options:
        return ""
    if options.get("MarketType") != "spot":
        raise invalid(options.get("MarketType"), "MarketType", "Expecting spot.")
    spot = options.get("SpotOptions", {})
    if spot.get("SpotInstanceType", "one-time") != "one-time" or \
            spot.get("InstanceInterruptionBehavior", "terminate") != "terminate":
        raise ApiError("Unsupported", "This cloud has one-time spot machines only, which end at an interruption")
    return "spot"


def check_profile(cloud, profile):
    if not profile:
        return None
    name = profile.get("Name") or profile.get("Arn", "").rpartition("/")[2]
    if name not in cloud.account.roles:
        raise ApiError("InvalidParameterValue", f"Value ({name}) for parameter iamInstanceProfile.name is invalid. "
                       "Invalid IAM Instance Profile name")
    return name


def check_volumes(mappings, image):
    volumes = {image["root"]: (image["gib"], "gp2", False, True)}
    for mapping in mappings:
        device, ebs = mapping.get("DeviceName"), mapping.get("Ebs")
        if not device or ebs is None:
            raise ApiError("InvalidBlockDeviceMapping", "A mapping has a DeviceName and Ebs")
        is_root = device == image["root"]
        gib = ebs.get("VolumeSize", image["gib"] if is_root else 0)
        if gib < (image["gib"] if is_root else 1):
            raise ApiError("InvalidBlockDeviceMapping", f"Volume of size {gib}GB is smaller than snapshot, expect size"
                           f">= {image['gib'] if is_root else 1}GB")
        if ebs.get("VolumeType", "gp2") not in VOLUME_TYPES:
            raise invalid(ebs["VolumeType"], "VolumeType", f"Expecting one of {', '.join(VOLUME_TYPES)}.")
        volumes[device] = (gib, ebs.get("VolumeType", "gp2"), ebs.get("Encrypted", False),
                           ebs.get("DeleteOnTermination", is_root))
    return [(device, *rest) for device, rest in volumes.items()]


# --- room ---

def names(kind, zone, market):
    return [f"{kind}/{zone}"] + ([f"spot:{kind}/{zone}"] if market else [])


def free(cloud, plan, zone):
    """How many more machines the zone has."""
    most = 1 << 30
    for pattern, total in cloud.config["capacity"].items():
        def fits(kind, where, market, pattern=pattern):
            return any(fnmatch.fnmatchcase(n, pattern) for n in names(kind, where, market))
        if fits(plan.kind, zone, plan.market):
            taken = sum(1 for i in cloud.live() if i.state != "stopped" and fits(i.kind, i.zone, i.spot_request))
            most = min(most, max(0, total - taken))
    return most


def find_room(cloud, plan, params):
    """(subnet, how many): the first zone that has room for the least number."""
    least, most = params["MinCount"], params["MaxCount"]
    check_limits(cloud, plan.kind, least, plan.market)
    check_price(cloud, plan, params)
    sells = [s for s in plan.subnets if s["zone"] in cloud.catalog.types[plan.kind].get("zones", cloud.catalog.zones)]
    if not sells:
        raise ApiError("Unsupported", f"Your requested instance type ({plan.kind}) is not supported in your requested "
                       f"Availability Zone ({plan.subnets[0]['zone']}).")
    for subnet in sells:
        room = free(cloud, plan, subnet["zone"])
        if room >= least:
            return subnet, min(most, room)
    raise no_capacity(cloud, plan, sells)


def no_capacity(cloud, plan, subnets):
    if len(subnets) > 1:
        return ApiError("InsufficientInstanceCapacity", f"There is no {'Spot ' if plan.market else ''}capacity available "
                        f"that matches your request ({plan.kind}).")
    zone = subnets[0]["zone"]
    others = [z for z in cloud.catalog.zones if z != zone and free(cloud, plan, z)]
    return ApiError("InsufficientInstanceCapacity", f"We currently do not have sufficient {plan.kind} capacity in the "
                    f"Availability Zone you requested ({zone}). Our system will be working on provisioning additional "
                    f"capacity. You can currently get {plan.kind} capacity by not specifying an Availability Zone in your "
                    f"request or choosing {', '.join(others) or 'another type'}.")


def check_limits(cloud, kind, count, market):
    limits = cloud.config["limits"]
    running = [i for i in cloud.live() if i.state not in ("stopping", "stopped")]
    if limits["instances"] is not None and len(running) + count > limits["instances"]:
        raise ApiError("InstanceLimitExceeded", f"You have requested more instances ({len(running) + count}) than your "
                       f"current instance limit of {limits['instances']} allows for the specified instance type.")
    most = limits["spot_vcpus" if market else "vcpus"]
    used = sum(cloud.catalog.types[i.kind]["vcpus"] for i in running if bool(i.spot_request) == bool(market))
    if most is None or used + count * cloud.catalog.types[kind]["vcpus"] <= most:
        return
    if market:
        raise ApiError("MaxSpotInstanceCountExceeded", "Max spot instance count exceeded")
    raise ApiError("VcpuLimitExceeded", f"You have requested more vCPU capacity than your current vCPU limit of {most} "
                   "allows for the instance bucket that the specified instance type belongs to.")


def check_price(cloud, plan, params):
    told = params.get("InstanceMarketOptions", {}).get("SpotOptions", {}).get("MaxPrice")
    if not told:
        return
    try:
        told = float(told)
    except ValueError:
        raise invalid(told, "MaxPrice", "Expecting a number.") from None
    price = min(cloud.catalog.spot_price(plan.kind, s["zone"], cloud.clock.now()) for s in plan.subnets)
    if told < price:
        raise ApiError("SpotMaxPriceTooLow", f"Your Spot request price of {told:g} is lower than the minimum required "
                       f"Spot request fulfillment price of {price:g}.")


# --- the machine ---

def create(cloud, call, params, plan, subnet, reservation_id, index):
    instance_id, now, options = cloud.new_id("i"), call.now, params.get("MetadataOptions", {})
    usd = cloud.catalog.spot_price(plan.kind, subnet["zone"], now) if plan.market else cloud.catalog.types[plan.kind]["usd"]
    address = cloud.machines.address(instance_id)
    key = cloud.keys.get(params.get("KeyName"))
    interface = (params.get("NetworkInterface") or [{}])[0]
    return Instance(
        instance_id, len(cloud.instances), reservation_id, index, plan.kind,
        cloud.catalog.types[plan.kind]["mib"], plan.image, subnet["zone"], subnet["id"], address,
        cloud.machines.public(address) if interface.get("AssociatePublicIpAddress", subnet["default"]) else None,
        key and key["name"], key and key["material"], [(g["id"], g["name"]) for g in plan.groups],
        params.get("UserData", b""), plan.profile,
        {"tokens": options.get("HttpTokens", "optional"), "hops": options.get("HttpPutResponseHopLimit", 1),
         "endpoint": options.get("HttpEndpoint", "enabled"), "tags": options.get("InstanceMetadataTags", "disabled")},
        cloud.new_id("sir") if plan.market else None, usd,
        params.get("InstanceInitiatedShutdownBehavior", "stop") if not plan.market else "terminate",
        params.get("DisableApiTermination", False) or params.get("DisableApiStop", False), call.get("ClientToken"), call.identity.arn,
        dict(plan.tags["instance"]), dict(plan.tags["spot-instances-request"]), bool(plan.tags["instance"]),
        [Volume(cloud.new_id("vol"), *volume, now) for volume in plan.volumes],
        now, now + cloud.config["life"]["visible_after_s"], changed=now, stillborn=call.twist == "stillborn")
