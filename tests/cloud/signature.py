"""Verification of AWS Signature Version 4 in headers.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import dataclasses
import datetime
import hashlib
import hmac
import re
from urllib.parse import quote

from .errors import ApiError

WINDOW_S = 300
AUTHORIZATION = re.compile(r"AWS4-HMAC-SHA256 +Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})")

# What EC2 and STS call the same mistake.
CODES = {
    "unknown_key": {"ec2": "AuthFailure", "sts": "InvalidClientTokenId"},
    "bad_token": {"ec2": "AuthFailure", "sts": "InvalidClientTokenId"},
    "expired_token": {"ec2": "RequestExpired", "sts": "ExpiredToken"},
    "too_old": {"ec2": "RequestExpired", "sts": "SignatureDoesNotMatch"},
    "too_new": {"ec2": "AuthFailure", "sts": "SignatureDoesNotMatch"},
    "mismatch": {"ec2": "AuthFailure", "sts": "SignatureDoesNotMatch"},
    "scope": {"ec2": "AuthFailure", "sts": "SignatureDoesNotMatch"},
}
# EC2 does not say more than this; its users have to find out by themselves.
MUTE = "AWS was not able to validate the provided access credentials"


@dataclasses.dataclass
class Signed:
    method: str
    query: list  # [(name, value)], decoded
    headers: list  # [(lower-case name, value)] in the order of arrival
    body: bytes

    def values(self, name):
        return [v for n, v in self.headers if n == name]

    def one(self, name):
        found = self.values(name)
        if len(found) > 1:
            raise ApiError("IncompleteSignature", f"The header {name} is given twice")
        return found[0] if found else None


def refuse(service, kind, message):
    code = CODES[kind][service]
    return ApiError(code, MUTE if code == "AuthFailure" else message)


def signing_key(secret, date, region, service):
    key = ("AWS4" + secret).encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def canonical_request(request, signed_headers):
    pairs = sorted((quote(n, safe="-_.~"), quote(v, safe="-_.~")) for n, v in request.query)
    lines = [f"{name}:{','.join(' '.join(v.split()) for v in request.values(name))}" for name in signed_headers]
    return "\n".join([request.method, "/", "&".join(f"{n}={v}" for n, v in pairs), *lines, "",
                      ";".join(signed_headers), hashlib.sha256(request.body).hexdigest()])


def compute(request, secret, date, scope, signed_headers):
    """The signature that `request` ought to have; scope is (day, region, service)."""
    digest = hashlib.sha256(canonical_request(request, signed_headers).encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", date, "/".join(scope) + "/aws4_request", digest])
    return hmac.new(signing_key(secret, *scope), text.encode(), hashlib.sha256).hexdigest()


def check_headers(request, signed_headers):
    must = {"host"} | {name for name, _ in request.headers if name.startswith("x-amz-")}
    if request.one("x-amz-date") is None:
        must.add("date")
    missing = sorted(must - set(signed_headers))
    if missing or signed_headers != sorted(signed_headers):
        raise ApiError("IncompleteSignature", f"SignedHeaders must be sorted and have {', '.join(sorted(must))}")
    told = request.one("x-amz-content-sha256")
    if told and told != hashlib.sha256(request.body).hexdigest():
        raise ApiError("SignatureDoesNotMatch", "x-amz-content-sha256 is not that of the body")


def check_date(service, date, wire_now):
    try:
        when = datetime.datetime.strptime(date or "", "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc).timestamp()
    except ValueError:
        raise ApiError("IncompleteSignature", f"X-Amz-Date has to be YYYYMMDDTHHMMSSZ, not '{date}'") from None
    if when < wire_now - WINDOW_S:
        raise refuse(service, "too_old", "Request has expired." if service == "ec2" else f"Signature expired: {date}")
    if when > wire_now + WINDOW_S:
        raise refuse(service, "too_new", f"Signature not yet current: {date}")


def check_scope(service, credential, date, region):
    """The parts of the credential: (access key, (day, region, service))."""
    parts = credential.rsplit("/", 4)
    if len(parts) != 5:
        raise ApiError("IncompleteSignature", "Credential must be KEY/YYYYMMDD/REGION/SERVICE/aws4_request")
    key, day, told_region, told_service, end = parts
    if day != date[:8] or told_region != region or told_service != service or end != "aws4_request":
        raise refuse(service, "scope", f"Credential should be scoped to {date[:8]}/{region}/{service}/aws4_request")
    return key, (day, told_region, told_service)


def verify(request, service, account, clock, region):
    """Who sent this; ApiError unless the signature is right in every respect."""
    authorization = request.one("authorization")
    if authorization is None:
        raise ApiError("MissingAuthenticationToken", "Request is missing Authentication Token")
    match = AUTHORIZATION.fullmatch(authorization.strip())
    if not match:
        raise ApiError("IncompleteSignature", "Authorization must be AWS4-HMAC-SHA256 Credential=..., "
                       "SignedHeaders=..., Signature=...")
    credential, signed_headers, given = match[1], match[2].split(";"), match[3]
    check_headers(request, signed_headers)
    date = request.one("x-amz-date")
    check_date(service, date, clock.wire_now())
    key, scope = check_scope(service, credential, date, region)
    identity = account.find(key)
    if identity is None:
        raise refuse(service, "unknown_key", "The security token included in the request is invalid.")
    if request.one("x-amz-security-token") != identity.token:
        raise refuse(service, "bad_token", "The security token included in the request is invalid")
    if not hmac.compare_digest(given, compute(request, identity.secret, date, scope, signed_headers)):
        raise refuse(service, "mismatch", "The request signature we calculated does not match the signature you "
                     "provided. Check your AWS Secret Access Key and signing method.")
    if identity.expires is not None and clock.now() >= identity.expires:
        raise refuse(service, "expired_token", "Request has expired." if service == "ec2" else
                     "The security token included in the request is expired")
    return identity
