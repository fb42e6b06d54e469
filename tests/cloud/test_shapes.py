"""The shapes of requests against EC2's own model, and the query API's encoding."""

import unittest

from tests.cloud import peer, templates  # noqa: F401
from tests.cloud import api  # noqa: F401: registers the actions
from tests.cloud.actions import ACTIONS
from tests.cloud.errors import ApiError
from tests.cloud.shapes import Blob, When, answer, decode, nest

KINDS = {"string": (str, Blob), "integer": (int,), "long": (int,), "boolean": (bool,), "timestamp": (When,), "blob": (Blob,)}
# We take DryRun everywhere; and the model may be older than these.
YOUNG = {"DescribeImages": ("MaxResults", "NextToken")}


class Shapes(unittest.TestCase):
    def compare(self, ours, theirs, path, service):
        if isinstance(ours, list):
            self.assertEqual(theirs.type_name, "list", path)
            self.compare(ours[0], theirs.member, path + "[]", service)
        elif isinstance(ours, dict):
            self.assertEqual(theirs.type_name, "structure", path)
            known = {peer.name_in_query(n, s) if service == "ec2" else n: s for n, s in theirs.members.items()}
            for name, shape in ours.items():
                self.assertIn(name, known, path)
                self.compare(shape, known[name], f"{path}.{name}", service)
        else:
            self.assertIn(ours, KINDS[theirs.type_name], path)

    def test_every_request_is_as_the_model_says(self):
        for service in ("ec2", "sts"):
            model = peer.SESSION.get_service_model(service)
            for action in (a for a in ACTIONS.values() if a.service == service):
                shape = dict(action.shape)
                theirs = model.operation_model(action.name).input_shape
                known = {peer.name_in_query(n, s) for n, s in theirs.members.items()} if theirs else set()
                for name in {"DryRun", *YOUNG.get(action.name, ())} - known:
                    shape.pop(name, None)
                with self.subTest(action.name):
                    self.compare(shape, theirs, action.name, service)
                    self.assertLessEqual(set(action.required), set(shape))

    def test_nest(self):
        self.assertEqual(nest([("A.1.B", "x"), ("A.2.B", "y"), ("C", "")]), {"A": {"1": {"B": "x"}, "2": {"B": "y"}}, "C": ""})
        for pairs in ([("A", "x"), ("A.B", "y")], [("A.B", "y"), ("A", "x")], [("A", "x"), ("A", "x")], [("A..B", "x")],
                      [("A." * 50 + "B", "x")]):
            with self.assertRaises(ApiError):
                nest(pairs)

    def test_decode(self):
        shape = {"List": [{"Name": str, "Value": [str]}], "Number": int, "Yes": bool, "Data": Blob, "At": When}
        tree = nest([("List.2.Name", "b"), ("List.10.Name", "c"), ("List.1.Name", "a"), ("List.1.Value.1", "v"), ("Number", "7"),
                     ("Yes", "true"), ("Data", "aGk="), ("At", "1970-01-01T00:01:00Z")])
        self.assertEqual(decode(shape, tree), {
            "List": [{"Name": "a", "Value": ["v"]}, {"Name": "b"}, {"Name": "c"}], "Number": 7, "Yes": True, "Data": b"hi",
            "At": 60.0})
        for name, value, code in (("Number", "x", "InvalidParameterValue"), ("Yes", "1", "InvalidParameterValue"),
                                  ("Data", "%", "InvalidParameterValue"), ("At", "now", "InvalidParameterValue"),
                                  ("List", "x", "InvalidParameter"), ("List.0.Name", "x", "InvalidParameter"),
                                  ("Number.1", "x", "InvalidParameter"), ("Nmuber", "x", "UnknownParameter")):
            with self.subTest(name), self.assertRaises(ApiError) as caught:
                decode(shape, nest([(name, value)]))
            self.assertEqual(caught.exception.code, code)
            self.assertIn(name.split(".")[0], caught.exception.message)

    def test_answer(self):
        text = answer("ec2", "X", {"a": None, "b": [{"c": True}, {"c": "<&\x00"}], "d": b"hi", "e": 0, "f": ""}, "id")
        self.assertIn("<requestId>id</requestId><b><item><c>true</c></item><item><c>&lt;&amp;</c></item></b>"
                      "<d>aGk=</d><e>0</e><f></f></XResponse>", text)


if __name__ == "__main__":
    unittest.main()
