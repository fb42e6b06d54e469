"""STS: credentials for a role."""

from .actions import action
from .errors import ApiError
from .shapes import Stamp

ASSUME = {"RoleArn": str, "RoleSessionName": str, "DurationSeconds": int, "Policy": str}


def role_of(cloud, call):
    arn = call.params["RoleArn"]
    name = arn.rpartition("/")[2]
    if arn != cloud.account.role_arn(name) or name not in cloud.account.roles:
        return None, None
    return name, cloud.account.roles[name]


def lend(cloud, call, name, role):
    duration = call.get("DurationSeconds", min(3600, role.get("max_s", 3600)))
    if not 900 <= duration <= role.get("max_s", 3600):
        raise ApiError("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role "
                       "or is below 900.")
    session = call.params["RoleSessionName"]
    identity = cloud.account.lend(name, session, duration)
    return {"Credentials": {"AccessKeyId": identity.key, "SecretAccessKey": identity.secret,
                            "SessionToken": identity.token, "Expiration": Stamp(identity.expires)},
            "AssumedRoleUser": {"Arn": identity.arn, "AssumedRoleId": f"AROABERTHTEST00000000:{session}"}}


@action("AssumeRole", dict(ASSUME, ExternalId=str), ("RoleArn", "RoleSessionName"), service="sts")
def assume_role(cloud, call):
    name, role = role_of(cloud, call)
    trusted = role.get("trusted", []) if role else []
    right_id = role is None or role.get("external_id") is None or role["external_id"] == call.get("ExternalId")
    if not right_id or not any(one in ("*", call.identity.key) or f":assumed-{one}/" in call.identity.arn for one in trusted):
        raise ApiError("AccessDenied", f"User: {call.identity.arn} is not authorized to perform: sts:AssumeRole on "
                       f"resource: {call.params['RoleArn']}")
    return lend(cloud, call, name, role)


@action("AssumeRoleWithWebIdentity", dict(ASSUME, WebIdentityToken=str, ProviderId=str),
        ("RoleArn", "RoleSessionName", "WebIdentityToken"), service="sts", signed=False)
def assume_role_with_web_identity(cloud, call):
    name, role = role_of(cloud, call)
    if role is None or "web_identity" not in role:
        raise ApiError("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
    if role["web_identity"] != call.params["WebIdentityToken"]:
        raise ApiError("InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider, please "
                       "reference AssumeRoleWithWebIdentity documentation for requirements")
    return dict(lend(cloud, call, name, role), SubjectFromWebIdentityToken="berth", Audience="sts.amazonaws.com")


@action("GetCallerIdentity", {}, service="sts")
def get_caller_identity(cloud, call):
    return {"Arn": call.identity.arn, "UserId": call.identity.key, "Account": cloud.account.number}
