"""Tags and key pairs."""

import base64
import hashlib
import struct

from .actions import FILTERS, PAGED, TAG_SPECIFICATIONS, TAGS, action
from .errors import ApiError, invalid
from .instance import tag_members
from .pages import page, select
from .shapes import Blob, Stamp

MOST_TAGS = 50


# --- tags ---

def check_tags(tags):
    """A dict of a request's tags."""
    found = {}
    for tag in tags:
        key, value = tag.get("Key", ""), tag.get("Value", "")
        if not 1 <= len(key) <= 127:
            raise ApiError("InvalidParameterValue", "Tag key exceeds the maximum length of 127 characters or is empty")
        if len(value) > 255:
            raise ApiError("InvalidParameterValue", "Tag value exceeds the maximum length of 255 characters")
        if key.lower().startswith("aws:"):
            raise ApiError("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use")
        if key in found:
            raise ApiError("InvalidParameterValue", f"Duplicate tag key '{key}' specified.")
        found[key] = value
    if len(found) > MOST_TAGS:
        raise ApiError("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.")
    return found


def tags_for(specifications, resource_type, allowed=None):
    """The tags meant for that type; ApiError if another type is named than those allowed."""
    found = []
    for one in specifications:
        if one.get("ResourceType") not in (allowed or (resource_type,)):
            raise ApiError("InvalidParameterValue", f"'{one.get('ResourceType')}' is not a valid taggable resource type "
                           "for this operation.")
        if not one.get("Tag"):
            raise ApiError("InvalidParameterValue", "Tag specification must have at least one tag")
        if one["ResourceType"] == resource_type:
            found += one["Tag"]
    return check_tags(found)


def tagged(cloud, now):
    """(id, type, tags) of all that has tags and is to be found."""
    linger = cloud.config["life"]["linger_s"]
    yield from ((i.id, "instance", i.tags) for i in cloud.instances.values() if i.found(now, linger))
    yield from ((g["id"], "security-group", g["tags"]) for g in cloud.groups.values())
    yield from ((k["id"], "key-pair", k["tags"]) for k in cloud.keys.values())
    yield from ((t["id"], "launch-template", t["tags"]) for t in cloud.templates.values())


NOT_FOUND = {"i": ("InvalidInstanceID.NotFound", "instance ID"), "sg": ("InvalidGroup.NotFound", "security group"),
             "key": ("InvalidKeyPair.NotFound", "key pair"), "lt": ("InvalidLaunchTemplateId.NotFound", "launch template")}


def resources(cloud, call):
    """The tags of each resource that the call names: all, or an error."""
    known = {one: tags for one, _, tags in tagged(cloud, call.now)}
    for one in call.params["ResourceId"]:
        if one not in known:
            code, what = NOT_FOUND.get(one.rpartition("-")[0], ("InvalidID", "ID"))
            raise ApiError(code, f"The {what} '{one}' does not exist")
    return [known[one] for one in call.params["ResourceId"]]


@action("CreateTags", {"ResourceId": [str], "Tag": TAGS}, ("ResourceId", "Tag"))
def create_tags(cloud, call):
    new, targets = check_tags(call.params["Tag"]), resources(cloud, call)
    if any(len({**tags, **new}) > MOST_TAGS for tags in targets):
        raise ApiError("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.")
    for tags in targets:
        tags.update(new)
    return {"return": True}


@action("DeleteTags", {"ResourceId": [str], "Tag": TAGS}, ("ResourceId",))
def delete_tags(cloud, call):
    for tags in resources(cloud, call):
        for tag in call.get("Tag", [{"Key": key} for key in tags]):
            if "Value" not in tag or tags.get(tag.get("Key")) == tag["Value"]:
                tags.pop(tag.get("Key"), None)
    return {"return": True}


@action("DescribeTags", dict(PAGED, Filter=FILTERS))
def describe_tags(cloud, call):
    rows = [{"id": one, "type": kind, "key": key, "value": value}
            for one, kind, tags in tagged(cloud, call.now) for key, value in tags.items()]
    fields = {"resource-id": lambda r: r["id"], "resource-type": lambda r: r["type"],
              "key": lambda r: r["key"], "value": lambda r: r["value"]}
    rows = select(rows, call.list("Filter"), fields, lambda r: {r["key"]: r["value"]})
    rows, token = page(cloud, call, sorted(rows, key=tag_place), tag_place)
    return {"tagSet": [{"resourceId": r["id"], "resourceType": r["type"], "key": r["key"], "value": r["value"]}
                       for r in rows], "nextToken": token}


def tag_place(row):
    return [row["id"], row["key"]]


# --- key pairs ---

def check_public_key(material):
    """(type, line, fingerprint) of an OpenSSH public key as EC2 takes it."""
    try:
        kind, encoded = material.decode("ascii").split()[:2]
        blob = base64.b64decode(encoded, validate=True)
        length = struct.unpack(">I", blob[:4])[0]
    except (ValueError, struct.error):
        raise ApiError("InvalidKey.Format", "Key is not in valid OpenSSH public key format") from None
    if blob[4:4 + length].decode("ascii", "replace") != kind or kind not in ("ssh-ed25519", "ssh-rsa"):
        raise ApiError("InvalidKey.Format", "Key is not in valid OpenSSH public key format")
    if kind == "ssh-ed25519" and len(blob) != 51:
        raise ApiError("InvalidKey.Format", "An ed25519 key has 32 bytes")
    if kind == "ssh-ed25519":
        return "ed25519", f"{kind} {encoded}", base64.b64encode(hashlib.sha256(blob).digest()).decode()
    md5 = hashlib.md5(blob, usedforsecurity=False).hexdigest()
    return "rsa", f"{kind} {encoded}", ":".join(md5[i:i + 2] for i in range(0, 32, 2))


@action("ImportKeyPair", {"KeyName": str, "PublicKeyMaterial": Blob, "TagSpecification": TAG_SPECIFICATIONS},
        ("KeyName", "PublicKeyMaterial"))
def import_key_pair(cloud, call):
    name = call.params["KeyName"]
    if not 1 <= len(name) <= 255 or not name.isascii():
        raise invalid(name, "keyName", "Expecting 1 to 255 ASCII characters.")
    if name in cloud.keys:
        raise ApiError("InvalidKeyPair.Duplicate", f"The keypair already exists: {name}")
    kind, material, fingerprint = check_public_key(call.params["PublicKeyMaterial"])
    key = {"id": cloud.new_id("key"), "name": name, "kind": kind, "material": material, "fingerprint": fingerprint,
           "made": call.now, "tags": tags_for(call.list("TagSpecification"), "key-pair")}
    cloud.keys[name] = key
    return {"keyName": name, "keyFingerprint": fingerprint, "keyPairId": key["id"], "tagSet": tag_members(key["tags"])}


@action("DescribeKeyPairs", {"KeyName": [str], "KeyPairId": [str], "Filter": FILTERS, "IncludePublicKey": bool})
def describe_key_pairs(cloud, call):
    rows = sorted(cloud.keys.values(), key=lambda k: k["name"])
    for name, key in (("KeyName", "name"), ("KeyPairId", "id")):
        wanted = call.list(name)
        missing = [one for one in wanted if one not in {k[key] for k in cloud.keys.values()}]
        if missing:
            raise ApiError("InvalidKeyPair.NotFound", f"The key pair '{missing[0]}' does not exist")
        rows = [k for k in rows if not wanted or k[key] in wanted]
    fields = {"key-name": lambda k: k["name"], "fingerprint": lambda k: k["fingerprint"], "key-pair-id": lambda k: k["id"]}
    rows = select(rows, call.list("Filter"), fields, lambda k: k["tags"])
    return {"keySet": [{"keyPairId": k["id"], "keyName": k["name"], "keyFingerprint": k["fingerprint"],
                        "keyType": k["kind"], "createTime": Stamp(k["made"]), "tagSet": tag_members(k["tags"]),
                        "publicKey": k["material"] if call.get("IncludePublicKey") else None} for k in rows]}


@action("DeleteKeyPair", {"KeyName": str, "KeyPairId": str})
def delete_key_pair(cloud, call):
    gone = [n for n, k in cloud.keys.items() if n == call.get("KeyName") or k["id"] == call.get("KeyPairId")]
    for name in gone:
        del cloud.keys[name]
    return {"return": True}
