"""Launch templates: kept as they were given, applied beneath the parameters of a launch."""

from .actions import FILTERS, PAGED, TAG_SPECIFICATIONS, action
from .clock import iso
from .errors import ApiError
from .instance import tag_members
from .pages import page, select
from .resources import tags_for
from .shapes import Blob, Stamp

REFERENCE = {"LaunchTemplateId": str, "LaunchTemplateName": str, "Version": str}

# What a template can hold; RunInstances knows all of it, and more.
DATA = {
    "ImageId": str, "InstanceType": str, "KeyName": str, "UserData": Blob, "SecurityGroupId": [str],
    "DisableApiTermination": bool, "DisableApiStop": bool, "InstanceInitiatedShutdownBehavior": str, "EbsOptimized": bool,
    "Placement": {"AvailabilityZone": str, "Tenancy": str, "GroupName": str},
    "Monitoring": {"Enabled": bool},
    "IamInstanceProfile": {"Arn": str, "Name": str},
    "BlockDeviceMapping": [{"DeviceName": str, "Ebs": {
        "VolumeSize": int, "VolumeType": str, "Encrypted": bool, "DeleteOnTermination": bool, "Iops": int,
        "Throughput": int, "KmsKeyId": str, "SnapshotId": str}}],
    "NetworkInterface": [{"DeviceIndex": int, "SubnetId": str, "SecurityGroupId": [str],
                          "AssociatePublicIpAddress": bool, "DeleteOnTermination": bool, "Description": str}],
    "InstanceMarketOptions": {"MarketType": str, "SpotOptions": {
        "MaxPrice": str, "SpotInstanceType": str, "InstanceInterruptionBehavior": str}},
    "CreditSpecification": {"CpuCredits": str},
    "MetadataOptions": {"HttpTokens": str, "HttpPutResponseHopLimit": int, "HttpEndpoint": str,
                        "InstanceMetadataTags": str},
    "TagSpecification": TAG_SPECIFICATIONS,
}


def find(cloud, reference):
    name, template_id = reference.get("LaunchTemplateName"), reference.get("LaunchTemplateId")
    if bool(name) == bool(template_id):
        raise ApiError("InvalidParameterCombination", "Give either LaunchTemplateId or LaunchTemplateName")
    for template in cloud.templates.values():
        if template_id == template["id"] or name == template["name"]:
            return template
    if template_id:
        raise ApiError("InvalidLaunchTemplateId.NotFound", f"The specified launch template, with template ID {template_id}, "
                       "does not exist.")
    raise ApiError("InvalidLaunchTemplateName.NotFoundException", "The specified launch template, with template name "
                   f"{name}, does not exist.")


def version(template, told):
    """The data of the version: a number, $Latest or $Default."""
    number = {"$Latest": len(template["versions"]), "$Default": 1}.get(told or "$Default", told)
    if not str(number).isdecimal() or not 1 <= int(number) <= len(template["versions"]):
        raise ApiError("InvalidLaunchTemplateId.VersionNotFound", f"Could not find the specified version {told} for the "
                       f"launch template with ID {template['id']}.")
    return int(number), template["versions"][int(number) - 1]


def apply(cloud, params):
    """The parameters of a launch over those of its template; tags of both."""
    reference = params.get("LaunchTemplate")
    if not reference:
        return params
    data = version(find(cloud, reference), reference.get("Version"))[1]["data"]
    whole = {**data, **params}
    if data.get("TagSpecification") and params.get("TagSpecification"):
        whole["TagSpecification"] = merge_tags(data["TagSpecification"], params["TagSpecification"])
    return whole


def merge_tags(below, above):
    kinds = {}
    for one in below + above:
        kinds.setdefault(one.get("ResourceType"), {}).update({t.get("Key"): t for t in one.get("Tag", [])})
    return [{"ResourceType": kind, "Tag": list(tags.values())} for kind, tags in kinds.items()]


def show(template):
    return {"launchTemplateId": template["id"], "launchTemplateName": template["name"],
            "createTime": Stamp(template["made"]), "createdBy": template["by"], "defaultVersionNumber": 1,
            "latestVersionNumber": len(template["versions"]), "tagSet": tag_members(template["tags"])}


NEW = {"LaunchTemplateData": DATA, "VersionDescription": str, "ClientToken": str}


@action("CreateLaunchTemplate", dict(NEW, LaunchTemplateName=str, TagSpecification=TAG_SPECIFICATIONS),
        ("LaunchTemplateName", "LaunchTemplateData"))
def create(cloud, call):
    name = call.params["LaunchTemplateName"]
    if any(t["name"] == name for t in cloud.templates.values()):
        raise ApiError("InvalidLaunchTemplateName.AlreadyExistsException", "Launch template name already in use.")
    template = {"id": cloud.new_id("lt"), "name": name, "made": call.now, "by": call.identity.arn,
                "tags": tags_for(call.list("TagSpecification"), "launch-template"),
                "versions": [{"data": call.params["LaunchTemplateData"], "about": call.get("VersionDescription"),
                              "made": call.now}]}
    cloud.templates[template["id"]] = template
    return {"launchTemplate": show(template)}


@action("CreateLaunchTemplateVersion", dict(NEW, LaunchTemplateId=str, LaunchTemplateName=str, SourceVersion=str),
        ("LaunchTemplateData",))
def create_version(cloud, call):
    template = find(cloud, call.params)
    data = call.params["LaunchTemplateData"]
    if call.get("SourceVersion"):
        data = {**version(template, call.get("SourceVersion"))[1]["data"], **data}
    template["versions"].append({"data": data, "about": call.get("VersionDescription"), "made": call.now})
    return {"launchTemplateVersion": show_version(template, len(template["versions"]))}


@action("DeleteLaunchTemplate", {"LaunchTemplateId": str, "LaunchTemplateName": str})
def delete(cloud, call):
    template = find(cloud, call.params)
    del cloud.templates[template["id"]]
    return {"launchTemplate": show(template)}


@action("DescribeLaunchTemplates", dict(PAGED, LaunchTemplateId=[str], LaunchTemplateName=[str], Filter=FILTERS))
def describe(cloud, call):
    rows = sorted(cloud.templates.values(), key=lambda t: t["id"])
    for name, key in (("LaunchTemplateId", "id"), ("LaunchTemplateName", "name")):
        if call.list(name):
            for one in call.list(name):
                find(cloud, {name: one})
            rows = [t for t in rows if t[key] in call.list(name)]
    fields = {"launch-template-name": lambda t: t["name"], "create-time": lambda t: iso(t["made"])}
    rows = select(rows, call.list("Filter"), fields, lambda t: t["tags"])
    rows, token = page(cloud, call, rows, lambda t: t["id"], least=1)
    return {"launchTemplates": [show(t) for t in rows], "nextToken": token}


def show_version(template, number):
    one = template["versions"][number - 1]
    data = {name[0].lower() + name[1:]: one["data"][name] for name in
            ("ImageId", "InstanceType", "KeyName", "UserData", "InstanceInitiatedShutdownBehavior") if name in one["data"]}
    market = one["data"].get("InstanceMarketOptions")
    if market:
        spot = {name[0].lower() + name[1:]: value for name, value in market.get("SpotOptions", {}).items()}
        data["instanceMarketOptions"] = {"marketType": market.get("MarketType"), "spotOptions": spot}
    return {"launchTemplateId": template["id"], "launchTemplateName": template["name"], "versionNumber": number,
            "versionDescription": one["about"], "createTime": Stamp(one["made"]), "createdBy": template["by"],
            "defaultVersion": number == 1, "launchTemplateData": data}


@action("DescribeLaunchTemplateVersions", dict(PAGED, LaunchTemplateId=str, LaunchTemplateName=str,
                                               LaunchTemplateVersion=[str], Filter=FILTERS))
def describe_versions(cloud, call):
    template = find(cloud, call.params)
    told = call.list("LaunchTemplateVersion") or range(1, len(template["versions"]) + 1)
    numbers = sorted({version(template, str(n))[0] for n in told})
    numbers, token = page(cloud, call, numbers, lambda n: n, least=1)
    return {"launchTemplateVersionSet": [show_version(template, n) for n in numbers], "nextToken": token}
