"""Signature Version 4: what botocore signs is taken, and nothing else."""

import dataclasses
import hashlib
import http.client
import random
import time
import unittest
from urllib.parse import urlencode, urlsplit

import tests.cloud.peer as peer
from tests.cloud import signature
from tests.cloud.account import Account
from tests.cloud.clock import Clock
from tests.cloud.errors import ApiError

import botocore.auth
import botocore.awsrequest
import botocore.credentials

KEY, SECRET = peer.settings.ADMIN_KEY, peer.settings.ADMIN_SECRET
ASK = {"Action": "DescribeAvailabilityZones", "Version": "2016-11-15"}


def stamp(at):
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))


def sign(form, at=None, key=KEY, secret=SECRET, token=None, region="eu-central-1", service="ec2", more=(), leave=()):
    """(body, [(name, value)]) signed by our own function, so that each part can be made wrong."""
    body, date = urlencode(form).encode(), stamp(time.time() if at is None else at)
    headers = [("host", "localhost"), ("x-amz-date", date), ("content-type", "application/x-www-form-urlencoded"), *more]
    headers += [("x-amz-security-token", token)] if token else []
    names = sorted({n for n, _ in headers} - set(leave))
    scope = (date[:8], region, service)
    given = signature.compute(signature.Signed("POST", [], headers, body), secret, date, scope, names)
    headers.append(("authorization", f"AWS4-HMAC-SHA256 Credential={key}/{'/'.join(scope)}/aws4_request, "
                    f"SignedHeaders={';'.join(names)}, Signature={given}"))
    return body, headers


class Published(unittest.TestCase):
    def test_vector(self):
        """get-vanilla of AWS' published test suite."""
        headers = [("host", "example.amazonaws.com"), ("x-amz-date", "20150830T123600Z")]
        request = signature.Signed("GET", [], headers, b"")
        self.assertEqual(hashlib.sha256(signature.canonical_request(request, ["host", "x-amz-date"]).encode()).hexdigest(),
                         "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63")
        given = signature.compute(request, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20150830T123600Z",
                                  ("20150830", "us-east-1", "service"), ["host", "x-amz-date"])
        self.assertEqual(given, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")

    def test_five_hundred_of_botocore(self):
        """Verified here as botocore signed them; with one bit of the body changed, refused."""
        rng = random.Random(7)
        account = Account("1", {KEY: {"secret": SECRET}}, {}, Clock())
        account.identities["ASIA"] = dataclasses.replace(
            account.find(KEY), key="ASIA", token="to/ken+=")
        letters = "aZ09 -_.~/+=&%?*:@äß漢'\"\n"
        for number in range(500):
            form = {"".join(rng.choices("AbC.1", k=5)): "".join(rng.choices(letters, k=rng.randrange(30))) for _ in range(4)}
            token = "to/ken+=" if number % 2 else None
            credentials = botocore.credentials.Credentials("ASIA" if token else KEY, SECRET, token)
            method = "GET" if number % 5 == 0 else "POST"
            request = botocore.awsrequest.AWSRequest(method, "http://127.0.0.1:99/", data=form if method == "POST" else b"",
                                                     params=form if method == "GET" else {})
            if method == "POST":
                request.data = urlencode(form)
                request.headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
            request.headers["Host"] = "127.0.0.1:99"
            botocore.auth.SigV4Auth(credentials, "ec2", "eu-central-1").add_auth(request)
            headers = [(n.lower(), v) for n, v in request.headers.items()]
            query = list(form.items()) if method == "GET" else []
            body = urlencode(form).encode() if method == "POST" else b""
            signed = signature.Signed(method, query, headers, body)
            found = signature.verify(signed, "ec2", account, account.clock, "eu-central-1")
            self.assertEqual(found.key, "ASIA" if token else KEY)
            signed.body = body + b"x"
            with self.assertRaises(ApiError):
                signature.verify(signed, "ec2", account, account.clock, "eu-central-1")


class OnTheWire(peer.Case):
    def ask(self, body, headers, method="POST"):
        """(status, code)"""
        connection = http.client.HTTPConnection(urlsplit(self.server.url).netloc, timeout=10)
        self.addCleanup(connection.close)
        connection.putrequest(method, "/", skip_host=True, skip_accept_encoding=True)
        for name, value in [*headers, ("content-length", str(len(body)))]:
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        text = answer.read().decode()
        return answer.status, text.partition("<Code>")[2].partition("</Code>")[0]

    def test_right_and_wrong(self):
        self.serve()
        now = time.time()
        right = sign(ASK)
        self.assertEqual(self.ask(*right), (200, ""))
        self.assertEqual(self.ask(*sign(ASK, more=[("x-amz-thing", "  a   b ")])), (200, ""))
        for wrong, status, code in (
                (sign(ASK, secret="other"), 401, "AuthFailure"),
                (sign(ASK, key="AKIANOBODY"), 401, "AuthFailure"),
                (sign(ASK, token="none of ours"), 401, "AuthFailure"),
                (sign(ASK, region="us-east-1"), 401, "AuthFailure"),
                (sign(ASK, service="s3"), 401, "AuthFailure"),
                (sign(ASK, at=now - 310), 400, "RequestExpired"),
                (sign(ASK, at=now + 310), 401, "AuthFailure"),
                (sign(ASK, leave=["host"]), 400, "IncompleteSignature"),
                (sign(ASK, leave=["x-amz-date"]), 400, "IncompleteSignature"),
                (sign(ASK, more=[("x-amz-content-sha256", "0" * 64)]), 403, "SignatureDoesNotMatch"),
                ((right[0] + b"&DryRun=true", right[1]), 401, "AuthFailure"),
                ((right[0], right[1][:-1]), 403, "MissingAuthenticationToken"),
                ((right[0], [*right[1][:-1], ("authorization", "Basic eDp5")]), 400, "IncompleteSignature"),
                ((right[0], [*right[1], ("x-amz-later", "unsigned")]), 400, "IncompleteSignature")):
            self.assertEqual(self.ask(*wrong), (status, code))
        self.assertEqual(self.ask(*sign(ASK, at=now - 290)), (200, ""))
        self.assertEqual(self.ask(*sign(ASK, at=now + 290)), (200, ""))

    def test_what_is_no_call(self):
        self.serve()
        for form, status, code in (({"Version": "2016-11-15"}, 400, "MissingAction"),
                                   (dict(ASK, Action="Nothing"), 400, "InvalidAction"),
                                   (dict(ASK, Version="2011-01-01"), 400, "NoSuchVersion"),
                                   (dict(ASK, Nothing="x"), 400, "UnknownParameter"),
                                   (dict(ASK, Action="TerminateInstances"), 400, "MissingParameter")):
            self.assertEqual(self.ask(*sign(form)), (status, code))

    def test_wrong_clock(self):
        """The server's clock differs: the Date header says by how much, and a client that goes by it is taken."""
        self.serve()
        self.cloud.clock.skew_s = 900
        self.assertEqual(self.ask(*sign(ASK))[1], "RequestExpired")
        self.assertEqual(self.ask(*sign(ASK, at=time.time() + 900)), (200, ""))
        self.cloud.clock.skew_s = -900
        self.assertEqual(self.ask(*sign(ASK))[1], "AuthFailure")

    def test_roles(self):
        """AssumeRole's credentials work with their token only, for as long as they were lent, and for what the role may."""
        self.serve(roles={"r": {"permissions": ["ec2:Describe*"], "trusted": [KEY], "external_id": "ext", "web_identity": "token"}})
        sts, arn = self.client("sts"), "arn:aws:iam::123456789012:role/r"
        self.assertEqual(sts.get_caller_identity()["Account"], "123456789012")
        with self.refused("AccessDenied", 403):
            sts.assume_role(RoleArn=arn, RoleSessionName="berth")
        with self.refused("AccessDenied", 403):
            sts.assume_role(RoleArn=arn + "s", RoleSessionName="berth", ExternalId="ext")
        with self.refused("ValidationError", 400):
            sts.assume_role(RoleArn=arn, RoleSessionName="berth", ExternalId="ext", DurationSeconds=7200)
        lent = sts.assume_role(RoleArn=arn, RoleSessionName="berth", ExternalId="ext", DurationSeconds=900)["Credentials"]
        who = {"key": lent["AccessKeyId"], "secret": lent["SecretAccessKey"]}
        self.ec2 = self.client(**who, token=lent["SessionToken"])
        self.assertEqual(self.listed()[0], [])
        with self.refused("UnauthorizedOperation", 403):
            self.run_instances()
        with self.refused("AuthFailure", 401):
            self.client(**who).describe_instances()
        self.advance(901)
        with self.refused("RequestExpired", 400):
            self.ec2.describe_instances()
        with self.refused("ExpiredToken", 403):
            self.client("sts", **who, token=lent["SessionToken"]).get_caller_identity()
        with self.refused("InvalidIdentityToken", 400):
            sts.assume_role_with_web_identity(RoleArn=arn, RoleSessionName="berth", WebIdentityToken="????")
        lent = sts.assume_role_with_web_identity(RoleArn=arn, RoleSessionName="berth", WebIdentityToken="token")
        self.client(key=lent["Credentials"]["AccessKeyId"], secret=lent["Credentials"]["SecretAccessKey"],
                    token=lent["Credentials"]["SessionToken"]).describe_instances()


if __name__ == "__main__":
    unittest.main()
