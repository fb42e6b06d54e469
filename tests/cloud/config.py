"""Every setting with its default; a JSON file or a dict overrides some of them."""

import copy
import json

ADMIN_KEY = "AKIABERTHTESTADMIN00"
ADMIN_SECRET = "berth/test/secret/of/no/account/anywhere"

DEFAULTS = {
    "region": "eu-central-1",
    "account": "123456789012",
    "seed": None,            # of ids, page lengths and faults; None: different each time
    "clock": "running",      # "manual": stands still until POST /control/clock advances it
    # Access keys: {"secret": text, "permissions": ["ec2:Describe*", "!ec2:DescribeImages"]}
    "keys": {ADMIN_KEY: {"secret": ADMIN_SECRET, "permissions": ["*"]}},
    # Roles, each with an instance profile of its name: {"permissions": [...], "trusted": [access keys, "role/NAME", or "*"],
    # "web_identity": token, "external_id": text, "max_s": longest session}
    "roles": {"berth-host": {"permissions": ["ec2:Describe*"], "trusted": ["*"], "max_s": 3600}},
    "life": {
        "pending_s": 2.0,           # from launch or start to running
        "initializing_s": 5.0,      # from running to status checks that are ok
        "stop_s": 2.0,
        "shutdown_s": 3.0,          # from shutting-down to terminated
        "terminate_delay_s": 0.0,   # from TerminateInstances to what DescribeInstances says of it
        "visible_after_s": 0.5,     # a machine just launched is not found for so long
        "linger_s": 3600.0,         # a terminated machine is shown for so long
    },
    # kind: "full"; "short": any number of rows up to what was asked for; "empty": every other page has none
    "pages": {"kind": "full", "max": 1000},
    # The first pattern that fits an action; "RunInstances/machines" counts machines.
    "throttle": {
        "RunInstances": {"burst": 5, "per_s": 2},
        "RunInstances/machines": {"burst": 1000, "per_s": 2},
        "TerminateInstances": {"burst": 100, "per_s": 5},
        "StartInstances": {"burst": 5, "per_s": 2},
        "*/machines": {"burst": 1000, "per_s": 20},
        "Describe*": {"burst": 100, "per_s": 20},
        "*": {"burst": 50, "per_s": 5},
    },
    "capacity": {},          # {"m6i.large/eu-central-1a": 3, "t3.*": 0, "spot:*": 1}: how many there are at most
    "limits": {"vcpus": 64, "spot_vcpus": 64, "instances": None},
    "spot": {"notice_s": 120.0, "period_s": 21600.0, "low": 0.3, "high": 0.6},  # of the on-demand price
    "volume_usd_per_gib_month": 0.0952,
    "types": {},             # beside catalog.TYPES: {"x1.big": {"vcpus": 2, "mib": 1024, "usd": 0.1, "arch": "x86_64"}}
    "images": [],            # beside catalog.IMAGES
    # "paper": no machines, but addresses from `network`. "real": containers with systemd and sshd, which begin with the
    # file system `root` (made at the first start) and are kept in `state` while they live; takes root. `packages`, of those
    # that lie in the machines, are installed in all of them.
    "machines": {"kind": "paper", "network": "127.77.0.0/16", "root": "build/cloud/root", "state": "build/cloud/machines",
                 "packages": []},
    "faults": [],
    # The metadata service's own listener; `role` is what it gives a caller that is none of the machines.
    "metadata": {"listen": None, "role": None},
}
OPEN = {"keys", "roles", "throttle", "capacity", "types"}  # names of the user's own
WHOLE = {"keys", "throttle", "capacity"}                   # given: what was there goes away
AT_ANY_TIME = {"life", "pages", "throttle", "capacity", "limits"}


def merge(base, extra, path=""):
    """Changes `base`; ValueError names a setting that does not exist or has another type."""
    if not isinstance(extra, dict):
        raise ValueError(f"{path or 'the configuration'} must be an object")
    for name, value in extra.items():
        whole = f"{path}.{name}" if path else name
        if name not in base and path not in OPEN:
            raise ValueError(f"there is no setting {whole}; there are {', '.join(sorted(base))}")
        if whole in WHOLE:
            base[name] = value
        elif isinstance(base.get(name), dict) and path not in OPEN:
            merge(base[name], value, whole)
        else:
            base[name] = copy.deepcopy(value)
    return base


def load(path=None):
    config = copy.deepcopy(DEFAULTS)
    if path:
        with open(path) as file:
            merge(config, json.load(file))
    return config


def build(**settings):
    """For tests: build(life={"pending_s": 0})"""
    return merge(copy.deepcopy(DEFAULTS), settings)
