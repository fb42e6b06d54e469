"""What the region has to offer: zones, subnets, images, machine types, spot prices."""

from .actions import FILTERS, PAGED, action
from .errors import ApiError, invalid
from .pages import page, select
from .shapes import Stamp, When

NO_TAGS = {}


def no_tags(row):
    del row
    return NO_TAGS


@action("DescribeAvailabilityZones", {"ZoneName": [str], "ZoneId": [str], "AllAvailabilityZones": bool, "Filter": FILTERS})
def zones(cloud, call):
    catalog = cloud.catalog
    missing = [z for z in call.list("ZoneName") if z not in catalog.zones]
    if missing:
        raise invalid(missing[0], "zoneName", "There is no such zone.")
    rows = [z for z in catalog.zones if not call.list("ZoneName") or z in call.list("ZoneName")]
    rows = select(rows, call.list("Filter"), {"zone-name": lambda z: z, "region-name": lambda z: catalog.region,
                                              "state": lambda z: "available", "zone-type": lambda z: "availability-zone"},
                  no_tags)
    return {"availabilityZoneInfo": [{
        "zoneName": z, "zoneState": "available", "regionName": catalog.region, "messageSet": [],
        "zoneId": f"euc1-az{catalog.zones.index(z) + 1}", "zoneType": "availability-zone", "groupName": catalog.region,
        "networkBorderGroup": catalog.region, "optInStatus": "opt-in-not-required"} for z in rows]}


@action("DescribeSubnets", dict(PAGED, SubnetId=[str], Filter=FILTERS))
def subnets(cloud, call):
    catalog = cloud.catalog
    missing = [s for s in call.list("SubnetId") if s not in catalog.subnets]
    if missing:
        raise ApiError("InvalidSubnetID.NotFound", f"The subnet ID '{missing[0]}' does not exist")
    rows = [s for s in catalog.subnets.values() if not call.list("SubnetId") or s["id"] in call.list("SubnetId")]
    rows = select(rows, call.list("Filter"), {
        "subnet-id": lambda s: s["id"], "vpc-id": lambda s: catalog.vpc, "availability-zone": lambda s: s["zone"],
        "default-for-az": lambda s: s["default"], "state": lambda s: "available", "cidr-block": lambda s: s["cidr"]}, no_tags)
    rows, token = page(cloud, call, rows, lambda s: s["id"])
    return {"subnetSet": [{
        "subnetId": s["id"], "state": "available", "vpcId": catalog.vpc, "cidrBlock": s["cidr"],
        "availableIpAddressCount": 4091, "availabilityZone": s["zone"], "defaultForAz": s["default"],
        "mapPublicIpOnLaunch": s["default"], "ownerId": cloud.account.number} for s in rows], "nextToken": token}


# --- images ---

IMAGE_FIELDS = {
    "image-id": lambda i: i["id"], "name": lambda i: i["name"], "architecture": lambda i: i["arch"],
    "owner-id": lambda i: i["owner"], "state": lambda i: i.get("state", "available"), "root-device-type": lambda i: "ebs",
    "root-device-name": lambda i: i["root"], "virtualization-type": lambda i: "hvm", "is-public": lambda i: True,
    "image-type": lambda i: "machine", "creation-date": lambda i: i["created"] + ".000Z", "owner-alias": lambda i: None,
}


@action("DescribeImages", dict(PAGED, ImageId=[str], Owner=[str], ExecutableBy=[str], IncludeDeprecated=bool,
                               Filter=FILTERS))
def images(cloud, call):
    known = cloud.catalog.images
    for one in call.list("ImageId"):
        if not one.startswith("ami-"):
            raise ApiError("InvalidAMIID.Malformed", f'Invalid id: "{one}" (expecting "ami-...")')
        if one not in known:
            raise ApiError("InvalidAMIID.NotFound", f"The image id '[{one}]' does not exist")
    rows = [i for i in known.values() if not call.list("ImageId") or i["id"] in call.list("ImageId")]
    owners = [cloud.account.number if o == "self" else o for o in call.list("Owner")]
    rows = [i for i in rows if not owners or i["owner"] in owners]
    rows = sorted(select(rows, call.list("Filter"), IMAGE_FIELDS, no_tags), key=lambda i: i["id"])
    rows, token = page(cloud, call, rows, lambda i: i["id"], least=1)
    return {"imagesSet": [show_image(i) for i in rows], "nextToken": token}


def show_image(image):
    return {"imageId": image["id"], "imageLocation": f"{image['owner']}/{image['name']}",
            "imageState": image.get("state", "available"), "imageOwnerId": image["owner"],
            "creationDate": image["created"] + ".000Z", "isPublic": True, "architecture": image["arch"],
            "imageType": "machine", "name": image["name"], "description": image["name"], "rootDeviceType": "ebs",
            "rootDeviceName": image["root"], "virtualizationType": "hvm", "hypervisor": "xen", "enaSupport": True,
            "blockDeviceMapping": [{"deviceName": image["root"], "ebs": {
                "snapshotId": "snap-" + image["id"][4:], "volumeSize": image["gib"], "deleteOnTermination": True,
                "volumeType": "gp2", "encrypted": False}}]}


# --- machine types and what they cost ---

@action("DescribeInstanceTypes", dict(PAGED, InstanceType=[str], Filter=FILTERS))
def types(cloud, call):
    known = cloud.catalog.types
    missing = [t for t in call.list("InstanceType") if t not in known]
    if missing:
        raise ApiError("InvalidInstanceType", f"The following supplied instance types do not exist: [{', '.join(missing)}]")
    rows = [(name, known[name]) for name in sorted(call.list("InstanceType") or known)]
    rows = select(rows, call.list("Filter"), {
        "instance-type": lambda t: t[0], "current-generation": lambda t: True, "bare-metal": lambda t: False,
        "processor-info.supported-architecture": lambda t: t[1]["arch"], "vcpu-info.default-vcpus": lambda t: t[1]["vcpus"],
        "memory-info.size-in-mib": lambda t: t[1]["mib"]}, no_tags)
    rows, token = page(cloud, call, rows, lambda t: t[0])
    return {"instanceTypeSet": [{
        "instanceType": name, "currentGeneration": True, "freeTierEligible": False,
        "supportedUsageClasses": ["on-demand", "spot"], "supportedRootDeviceTypes": ["ebs"],
        "supportedVirtualizationTypes": ["hvm"], "bareMetal": False, "hypervisor": "nitro",
        "processorInfo": {"supportedArchitectures": [t["arch"]]},
        "vCpuInfo": {"defaultVCpus": t["vcpus"], "defaultCores": max(1, t["vcpus"] // 2), "defaultThreadsPerCore": 2},
        "memoryInfo": {"sizeInMiB": t["mib"]}, "instanceStorageSupported": False,
        "burstablePerformanceSupported": name.startswith("t")} for name, t in rows], "nextToken": token}


LOCATIONS = {"region": lambda cloud: [cloud.catalog.region], "availability-zone": lambda cloud: cloud.catalog.zones}


@action("DescribeInstanceTypeOfferings", dict(PAGED, LocationType=str, Filter=FILTERS))
def offerings(cloud, call):
    kind = call.get("LocationType", "region")
    if kind not in LOCATIONS:
        raise invalid(kind, "locationType", f"This cloud has {' and '.join(LOCATIONS)}.")
    sold = {name: t.get("zones", cloud.catalog.zones) for name, t in cloud.catalog.types.items()}
    rows = [(name, place) for name in sorted(sold) for place in LOCATIONS[kind](cloud)
            if kind == "region" or place in sold[name]]
    rows = select(rows, call.list("Filter"), {"instance-type": lambda r: r[0], "location": lambda r: r[1]}, no_tags)
    rows, token = page(cloud, call, rows, list_of)
    return {"instanceTypeOfferingSet": [{"instanceType": name, "locationType": kind, "location": place}
                                        for name, place in rows], "nextToken": token}


@action("DescribeSpotPriceHistory", dict(PAGED, InstanceType=[str], ProductDescription=[str], AvailabilityZone=str,
                                         StartTime=When, EndTime=When, Filter=FILTERS))
def spot_prices(cloud, call):
    catalog = cloud.catalog
    begin, end = call.get("StartTime", call.now - 86400), min(call.get("EndTime", call.now), call.now)
    if begin > end and call.get("EndTime") is not None:
        raise invalid(begin, "startTime", "It is later than endTime.")
    if call.get("AvailabilityZone", catalog.zones[0]) not in catalog.zones:
        raise ApiError("InvalidParameterValue", f"Invalid availability zone: [{call.get('AvailabilityZone')}]")
    rows = list(prices(catalog, begin, end))
    fields = {"instance-type": lambda r: r[1], "availability-zone": lambda r: r[2],
              "product-description": lambda r: "Linux/UNIX", "spot-price": lambda r: f"{r[3]:.6f}"}
    given = [{"Name": name, "Value": values} for name, values in (
        ("instance-type", call.list("InstanceType")), ("product-description", call.list("ProductDescription")),
        ("availability-zone", [call.get("AvailabilityZone")] if call.get("AvailabilityZone") else [])) if values]
    # This action has always called it so; the console's name is without the VPC.
    for one in given:
        one["Value"] = [v.replace(" (Amazon VPC)", "") for v in one["Value"]]
    rows = sorted(select(rows, given + call.list("Filter"), fields, no_tags))
    rows, token = page(cloud, call, rows, list_of, least=1)
    return {"spotPriceHistorySet": [{
        "instanceType": kind, "productDescription": "Linux/UNIX", "spotPrice": f"{price:.6f}", "timestamp": Stamp(-at),
        "availabilityZone": zone} for at, kind, zone, price in rows], "nextToken": token or ""}


def list_of(row):
    return list(row)


def prices(catalog, begin, end):
    """(minus the time, type, zone, price): newest first; what held at `begin` is among them."""
    at = catalog.spot_since(end)
    while True:
        for kind in catalog.types:
            for zone in catalog.zones:
                yield -at, kind, zone, catalog.spot_price(kind, zone, at)
        if at <= begin:
            return
        at -= catalog.spot["period_s"]
