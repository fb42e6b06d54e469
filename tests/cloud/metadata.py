"""The instance metadata service, version 2: a listener of its own. Who asks is told by the address it comes from."""

import json
import secrets

from .clock import iso
from .wire import Reply, text

MOST_S = 21600
RENEW_S = 300
TOKEN, TTL = "x-aws-ec2-metadata-token", "x-aws-ec2-metadata-token-ttl-seconds"
ANYBODY = {"tokens": "required", "hops": 1, "endpoint": "enabled", "tags": "disabled"}


class Metadata:
    def __init__(self, cloud):
        self.cloud = cloud
        self.tokens = {}   # token -> (address it was given to, end)
        self.lent = {}     # (address, role) -> Identity

    def answer(self, request):
        cloud = self.cloud
        with cloud.lock:
            cloud.tick()
            cloud.counts["metadata"] += 1
            if request.path.startswith("/container/"):
                return self.container(request)
            instance = cloud.by_address.get(request.peer)
            options = instance.metadata if instance else ANYBODY
            if options["endpoint"] == "disabled":
                return text(403, "disabled\n")
            if request.method == "PUT":
                return self.new_token(request, options)
            if request.method not in ("GET", "HEAD"):
                return text(405, "method not allowed\n")
            if not self.allowed(request, options):
                return text(401, "unauthorized\n")
            return self.look(request, instance)

    def new_token(self, request, options):
        if request.path != "/latest/api/token":
            return text(404, "not found\n")
        if request.header("x-forwarded-for"):
            return text(403, "forwarded\n")
        seconds = request.header(TTL) or ""
        if not seconds.isdecimal() or not 1 <= int(seconds) <= MOST_S:
            return text(400, f"{TTL} must be 1 to {MOST_S}\n")
        now = self.cloud.clock.now()
        self.tokens = {t: v for t, v in self.tokens.items() if v[1] > now}
        token = secrets.token_urlsafe(40) + "=="
        self.tokens[token] = (request.peer, now + int(seconds))
        return Reply(200, token.encode(), headers=((TTL, seconds),), hops=options["hops"])

    def allowed(self, request, options):
        token = request.header(TOKEN)
        if token is None:
            return options["tokens"] == "optional"
        peer, end = self.tokens.get(token, ("", 0))
        return peer == request.peer and self.cloud.clock.now() < end

    def look(self, request, instance):
        """A leaf, or the names in a folder."""
        parts = [p for p in request.path.split("/") if p]
        if not parts or parts[0] != "latest":
            return text(404, "not found\n")
        at = self.tree(instance, request.peer)
        for part in parts[1:]:
            at = at.get(part) if isinstance(at, dict) else None
            if at is None:
                return text(404, "not found\n")
        if callable(at):
            at = at()
        if isinstance(at, dict):
            return text(200, "\n".join(n + "/" * isinstance(v, dict) for n, v in at.items() if v is not None))
        return Reply(200, at if isinstance(at, bytes) else str(at).encode())

    # --- what there is ---

    def tree(self, instance, peer):
        if instance is None:
            return {"meta-data": {"instance-id": "i-00000000000000000", **self.iam(self.cloud.config["metadata"]["role"], peer),
                                  "placement": {"region": self.cloud.catalog.region}}}
        i, catalog = instance, self.cloud.catalog
        document = {"instanceId": i.id, "imageId": i.image["id"], "instanceType": i.kind, "region": catalog.region,
                    "availabilityZone": i.zone, "accountId": self.cloud.account.number, "privateIp": i.private_ip,
                    "architecture": i.image["arch"], "pendingTime": iso(i.launched, millis=False), "version": "2017-09-30"}
        end = i.notice and iso(i.notice, millis=False)
        return {
            "dynamic": {"instance-identity": {"document": json.dumps(document, indent=1)}},
            "meta-data": {
                "ami-id": i.image["id"], "ami-launch-index": i.index,
                "events": {"recommendations": {"rebalance": json.dumps({"noticeTime": end})}} if end else None,
                "hostname": "ip-" + i.private_ip.replace(".", "-"), **self.iam(i.profile, peer),
                "instance-id": i.id, "instance-life-cycle": "spot" if i.spot_request else "on-demand",
                "instance-type": i.kind, "local-ipv4": i.private_ip,
                "placement": {"availability-zone": i.zone, "region": catalog.region}, "public-ipv4": i.public_ip,
                "public-keys": {"0": {"openssh-key": f"{i.public_key} {i.key_name}\n"}} if i.public_key else None,
                "reservation-id": i.reservation,
                "spot": {"instance-action": json.dumps({"action": "terminate", "time": end}),
                         "termination-time": end} if end else None,
                "tags": {"instance": dict(i.tags)} if i.metadata["tags"] == "enabled" else None,
            },
            "user-data": i.user_data or None,
        }

    def iam(self, role, peer):
        if not role:
            return {}
        arn = self.cloud.account.profile_arn(role)
        info = {"Code": "Success", "InstanceProfileArn": arn, "InstanceProfileId": "AIPABERTHTEST0000000"}
        return {"iam": {"info": json.dumps(info),
                        "security-credentials": {role: lambda: json.dumps(self.credentials(role, peer), indent=1)}}}

    def credentials(self, role, peer):
        now = self.cloud.clock.now()
        lent = self.lent.get((peer, role))
        if lent is None or lent.expires - now < RENEW_S:
            seconds = self.cloud.account.roles[role].get("max_s", 3600)
            lent = self.lent[peer, role] = self.cloud.account.lend(role, f"metadata-{peer}", seconds)
        return {"Code": "Success", "LastUpdated": iso(now, millis=False), "Type": "AWS-HMAC", "AccessKeyId": lent.key,
                "SecretAccessKey": lent.secret, "Token": lent.token, "Expiration": iso(lent.expires, millis=False)}

    def container(self, request):
        """Credentials for containers: GET /container/ROLE with the role's `container_token` as Authorization."""
        name = request.path[len("/container/"):]
        role = self.cloud.account.roles.get(name)
        if role is None:
            return text(404, "not found\n")
        if role.get("container_token") != request.header("authorization"):
            return text(401, "unauthorized\n")
        found = self.credentials(name, "container")
        found = {n: found[n] for n in ("AccessKeyId", "SecretAccessKey", "Token", "Expiration")}
        return Reply(200, json.dumps(dict(found, RoleArn=self.cloud.account.role_arn(name))).encode(), "application/json")
