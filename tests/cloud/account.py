"""Who may do what: access keys, roles, and the short-lived credentials that roles give."""

import dataclasses
import fnmatch
import secrets
from typing import Optional


@dataclasses.dataclass
class Identity:
    key: str
    secret: str
    arn: str
    permissions: tuple  # "ec2:Describe*"; "!ec2:TerminateInstances" forbids
    token: Optional[str] = None
    expires: Optional[float] = None

    def may(self, permission):
        def listed(mark):
            return any(fnmatch.fnmatchcase(permission, p[len(mark):]) for p in self.permissions
                       if p.startswith("!") == bool(mark))
        return listed("") and not listed("!")


class Account:
    def __init__(self, number, keys, roles, clock):
        self.number = number
        self.roles = roles
        self.clock = clock
        self.identities = {}
        for key, value in keys.items():
            self.identities[key] = Identity(key, value["secret"], f"arn:aws:iam::{number}:user/{key.lower()}",
                                            tuple(value.get("permissions", ["*"])))

    def find(self, key):
        return self.identities.get(key)

    def role_arn(self, name):
        return f"arn:aws:iam::{self.number}:role/{name}"

    def profile_arn(self, name):
        return f"arn:aws:iam::{self.number}:instance-profile/{name}"

    def lend(self, role, session, duration_s):
        """New credentials of the role for so long."""
        # Clients choose their renewal by what is left: a whole second is all that is shown to them.
        expires = int(self.clock.now()) + duration_s
        identity = Identity("ASIA" + secrets.token_hex(8).upper(), secrets.token_urlsafe(30),
                            f"arn:aws:sts::{self.number}:assumed-role/{role}/{session}",
                            tuple(self.roles[role].get("permissions", [])), secrets.token_urlsafe(120), expires)
        for key in [k for k, i in self.identities.items() if i.expires is not None and i.expires < expires - 90000]:
            del self.identities[key]
        self.identities[identity.key] = identity
        return identity
