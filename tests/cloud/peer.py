"""botocore as the peer of the tests: an EC2 client that somebody else wrote, and EC2's own description of its API.

Every good answer is held against that description: an element that it does not know, a number that is none, fails.
"""

import base64
import contextlib
import datetime
import os
import sys
import unittest
import xml.etree.ElementTree as ElementTree

DEBIAN = "/usr/bin/python3"

try:
    import botocore.config
    import botocore.exceptions
    import botocore.serialize
    import botocore.session
    import botocore.validate
except ImportError:
    # Debian's package serves Debian's Python; another one may come first in PATH.
    if os.path.realpath(sys.executable) != os.path.realpath(DEBIAN) and os.path.exists(DEBIAN):
        os.execv(DEBIAN, [DEBIAN, *sys.orig_argv[1:]])
    print("skipped: there is no botocore (package python3-botocore)")
    sys.exit(77)

from . import config as settings
from . import shapes
from .actions import VERSIONS
from .server import Server

PUBLIC_KEY = (b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0bF6sG3hmXbCwB8nmnQ5bLP1T6Jl0Zp8o2g3xV7c4Q someone@somewhere")
SESSION = botocore.session.Session()


def tag_of(element):
    return element.tag.rpartition("}")[2]


def hold(element, shape, path):
    """AssertionError unless the element is as the shape says."""
    if shape.type_name == "structure":
        known = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        for child in element:
            name = tag_of(child)
            if name in ("requestId", "return", "ResponseMetadata"):
                continue
            assert name in known, f"{path} has no {name}"
            hold(child, known[name], f"{path}.{name}")
    elif shape.type_name == "list":
        for child in element:
            assert tag_of(child) == shape.member.serialization.get("name", "member"), f"{path}: {tag_of(child)}"
            hold(child, shape.member, path + "[]")
    else:
        assert len(element) == 0, f"{path} is a {shape.type_name}"
        hold_text(element.text or "", shape, path)


def hold_text(text, shape, path):
    if shape.type_name in ("integer", "long"):
        int(text)
    elif shape.type_name in ("float", "double"):
        float(text)
    elif shape.type_name == "boolean":
        assert text in ("true", "false"), f"{path}: {text}"
    elif shape.type_name == "timestamp":
        assert text.endswith("Z"), f"{path}: {text}"


def hold_answer(http_response, model, **_):
    if http_response.status_code != 200 or model.output_shape is None:
        return
    root, wrapper = ElementTree.fromstring(http_response.content), model.output_shape.serialization.get("resultWrapper")
    assert tag_of(root) == model.name + "Response", tag_of(root)
    if wrapper:
        root = next(child for child in root if tag_of(child) == wrapper)
    hold(root, model.output_shape, model.name)


def typed(tree, shape, capital, path):
    """What a form says as the SDK's parameters; AssertionError where the model knows no such thing."""
    if shape.type_name == "structure":
        assert isinstance(tree, dict), f"{path} is a structure"
        known = {name_in_query(n, s) if capital else n: (n, s) for n, s in shape.members.items()}
        unknown = set(tree) - set(known)
        assert not unknown, f"{path} has no {sorted(unknown)[0]}"
        return {known[n][0]: typed(v, known[n][1], capital, f"{path}.{n}") for n, v in tree.items()}
    if shape.type_name == "list":
        assert isinstance(tree, dict) and sorted(tree, key=int) == [str(n + 1) for n in range(len(tree))], f"{path}: {tree}"
        return [typed(tree[n], shape.member, capital, f"{path}.{n}") for n in sorted(tree, key=int)]
    assert isinstance(tree, str), f"{path} is a {shape.type_name}"
    if getattr(shape, "enum", None):
        assert tree in shape.enum, f"{path} is {tree}, not one of {', '.join(shape.enum[:9])}"
    if shape.type_name == "boolean":
        assert tree in ("true", "false"), f"{path}: {tree}"
        return tree == "true"
    if shape.type_name == "timestamp":
        return datetime.datetime.strptime(tree, "%Y-%m-%dT%H:%M:%S.%fZ")
    if shape.type_name == "blob":
        return base64.b64decode(tree, validate=True)
    return {"integer": int, "long": int}.get(shape.type_name, str)(tree)


def name_in_query(name, shape):
    """EC2's serializer: queryName, else locationName with a capital, else the member's name."""
    said = shape.serialization
    told = said.get("queryName") or said.get("name") or name
    return told[0].upper() + told[1:]


def hold_form(pairs):
    """AssertionError unless a form is what the SDK would send for the same parameters. Returns its action."""
    form = dict(pairs)
    assert len(form) == len(pairs), "a parameter is given twice"
    service = {version: name for name, version in VERSIONS.items()}[form["Version"]]
    model = SESSION.get_service_model(service)
    operation = model.operation_model(form["Action"])
    asked = {n: v for n, v in form.items() if n not in ("Action", "Version")}
    given = typed(shapes.nest(asked.items()), operation.input_shape, service == "ec2", operation.name)
    faults = botocore.validate.ParamValidator().validate(given, operation.input_shape)
    assert not faults.has_errors(), f"{operation.name}: {faults.generate_report()}"
    theirs = botocore.serialize.create_serializer(model.metadata["protocol"]).serialize_to_request(given, operation)["body"]
    at = {n for n, v in theirs.items() if str(v).endswith("Z") and n in ("StartTime", "EndTime")}
    assert {n: str(v) for n, v in theirs.items() if n not in at} == {n: v for n, v in form.items() if n not in at}, operation.name
    return operation.name


def client(url, service="ec2", key=settings.ADMIN_KEY, secret=settings.ADMIN_SECRET, token=None):
    options = botocore.config.Config(retries={"total_max_attempts": 1}, proxies={}, connect_timeout=10, read_timeout=30)
    made = SESSION.create_client(service, region_name="eu-central-1", endpoint_url=url, aws_access_key_id=key,
                                 aws_secret_access_key=secret, aws_session_token=token, config=options)
    made.meta.events.register(f"after-call.{service}.*", hold_answer)
    return made


class Case(unittest.TestCase):
    """A cloud whose time stands still until the test advances it."""

    def serve(self, **changed):
        base = {"clock": "manual", "seed": 1, "life": {"visible_after_s": 0}, "throttle": {}}
        self.server = Server(settings.build(**{**base, **changed}))
        self.addCleanup(self.server.close)
        self.cloud = self.server.cloud
        self.ec2 = self.client()
        return self.ec2

    def client(self, service="ec2", **who):
        made = client(self.server.url, service, **who)
        if hasattr(made, "close"):
            self.addCleanup(made.close)
        return made

    def advance(self, seconds):
        self.cloud.clock.advance(seconds)
        with self.cloud.lock:
            self.cloud.tick()

    @contextlib.contextmanager
    def refused(self, code, status=None):
        """The block ends with this error of EC2's."""
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            yield caught
        answer = caught.exception.response
        self.assertEqual(answer["Error"]["Code"], code, answer["Error"]["Message"])
        if status:
            self.assertEqual(answer["ResponseMetadata"]["HTTPStatusCode"], status)

    def image(self):
        return "ami-0deb1200000000002"

    def run_instances(self, **more):
        """Ids of the machines launched."""
        asked = {"ImageId": self.image(), "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1, **more}
        return [i["InstanceId"] for i in self.ec2.run_instances(**asked)["Instances"]]

    def one(self, instance_id):
        return self.ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]

    def state(self, instance_id):
        return self.one(instance_id)["State"]["Name"]

    def listed(self, **asked):
        """Ids over all pages, in the order they came, and how long each page was."""
        ids, lengths, token = [], [], {}
        while True:
            page = self.ec2.describe_instances(**asked, **token)
            found = [i["InstanceId"] for r in page["Reservations"] for i in r["Instances"]]
            ids, lengths = ids + found, lengths + [len(found)]
            if "NextToken" not in page:
                return ids, lengths
            token = {"NextToken": page["NextToken"]}


def tags(resource_type="instance", **pairs):
    return [{"ResourceType": resource_type, "Tags": [{"Key": k, "Value": v} for k, v in pairs.items()]}]


def by(name, *values):
    return [{"Name": name, "Values": list(values)}]
