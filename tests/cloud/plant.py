"""What cloud-init does with user data and key pair, done from outside before the first boot.

Of #cloud-config it knows ssh_keys, ssh_authorized_keys, write_files, bootcmd and runcmd; a script runs as it is, late
in the boot, as root. JSON is YAML, too; other YAML takes Debian's python3-yaml.

A machine of one of Ubuntu's images is Debian below, too. It says that it is Ubuntu, and its sshd listens as Ubuntu's does.
"""

import base64
import gzip
import json
import os
import re
import shlex
import subprocess

from .catalog import UBUNTU

KNOWN = {"ssh_keys", "ssh_authorized_keys", "ssh_deletekeys", "write_files", "bootcmd", "runcmd"}


def parse(user_data):
    """(settings of the cloud-config, script, what was not understood)"""
    if user_data[:2] == b"\x1f\x8b":
        user_data = gzip.decompress(user_data)
    text = user_data.decode("utf-8", "replace")
    if text.startswith("#!"):
        return {}, text, []
    if not text.startswith("#cloud-config"):
        return {}, "", ["user data is neither a script nor #cloud-config"] if text else []
    try:
        found = load_yaml(text)
    except ValueError as error:
        return {}, "", [f"the #cloud-config can't be read: {error}"]
    return found, "", [f"the #cloud-config's {name} is not known here" for name in sorted(set(found) - KNOWN)]


def load_yaml(text):
    try:
        found = json.loads(text.partition("\n")[2] or "{}")
    except ValueError:
        try:
            import yaml
        except ImportError:
            raise ValueError("it is no JSON, and YAML takes python3-yaml") from None
        try:
            found = yaml.safe_load(text) or {}
        except yaml.YAMLError as error:
            raise ValueError(str(error)) from None
    if not isinstance(found, dict):
        raise ValueError("it is no mapping")
    return found


def write(root, path, content, mode=0o644, owner=(0, 0)):
    """Below root, whatever links lie there."""
    whole = os.path.join(root, path.lstrip("/"))
    if not os.path.realpath(os.path.dirname(whole)).startswith(os.path.realpath(root)):
        raise ValueError(f"{path} leads out of the machine")
    os.makedirs(os.path.dirname(whole), exist_ok=True)
    descriptor = os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
        os.fchmod(descriptor, mode)
        os.fchown(descriptor, *owner)


def ids(root, user):
    """(uid, gid) that the machine gives the user."""
    with open(os.path.join(root, "etc/passwd")) as file:
        for line in file:
            fields = line.split(":")
            if fields[0] == user:
                return int(fields[2]), int(fields[3])
    raise ValueError(f"the machine has no user {user}")


def plant_keys(root, instance, config):
    user = "ubuntu" if instance.image["owner"] == UBUNTU else "admin"
    keys = ([instance.public_key] if instance.public_key else []) + list(config.get("ssh_authorized_keys", []))
    owner, home = ids(root, user), f"home/{user}/.ssh"
    os.makedirs(os.path.join(root, home), mode=0o700, exist_ok=True)
    os.chown(os.path.join(root, home), *owner)
    write(root, f"{home}/authorized_keys", "".join(key + "\n" for key in keys), 0o600, owner)


def plant_ubuntu(root, image):
    version = re.search(r"-(\d\d\.\d\d)-", image["name"])[1]
    write(root, "usr/lib/os-release", f'PRETTY_NAME="Ubuntu {version} LTS"\nNAME="Ubuntu"\nVERSION_ID="{version}"\n'
                                      "ID=ubuntu\nID_LIKE=debian\n")
    # From 22.10 on systemd listens, and starts sshd when somebody comes.
    if version >= "22.10":
        units = os.path.join(root, "etc/systemd/system")
        for name in ("multi-user.target.wants/ssh.service", "sshd.service"):
            os.remove(os.path.join(units, name))
        for folder in ("sockets.target.wants", "ssh.service.requires"):
            os.makedirs(os.path.join(units, folder), exist_ok=True)
            os.symlink("/lib/systemd/system/ssh.socket", os.path.join(units, folder, "ssh.socket"))


def plant_host_keys(root, config):
    """The public ones, as sshd will show them."""
    given, public = config.get("ssh_keys") or {}, []
    for name, value in given.items():
        kind, _, part = name.rpartition("_")
        if part == "private":
            write(root, f"etc/ssh/ssh_host_{kind}_key", value.rstrip("\n") + "\n", 0o600)
        elif part == "public":
            write(root, f"etc/ssh/ssh_host_{kind}_key.pub", value.rstrip("\n") + "\n")
            public.append(value.strip())
    if not given:
        path = os.path.join(root, "etc/ssh/ssh_host_ed25519_key")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "root", "-f", path], check=True)
        with open(path + ".pub") as file:
            public.append(file.read().strip())
    return public


def plant_files(root, config):
    for one in config.get("write_files", []):
        content = one.get("content", "")
        if one.get("encoding") in ("b64", "base64"):
            content = base64.b64decode(content)
        user = str(one.get("owner", "root")).partition(":")[0]
        write(root, one["path"], content, int(str(one.get("permissions", "0644")), 8), ids(root, user))


def script_of(config):
    commands = list(config.get("bootcmd", [])) + list(config.get("runcmd", []))
    if not commands:
        return ""
    return "#!/bin/sh\n" + "".join((c if isinstance(c, str) else shlex.join(map(str, c))) + "\n" for c in commands)


def meminfo(mib):
    """What /proc/meminfo is to say: the memory of the machine's type, not that of the machine below."""
    return "".join(f"{name + ':':16}{value:8} kB\n" for name, value in (
        ("MemTotal", mib << 10), ("MemFree", mib << 10), ("MemAvailable", mib << 10), ("Buffers", 0), ("Cached", 0),
        ("SwapCached", 0), ("Shmem", 0), ("SReclaimable", 0), ("SwapTotal", 0), ("SwapFree", 0)))


def plant(root, instance, name):
    """Everything, into the machine's file system. Returns what its console says of it."""
    config, script, complaints = parse(instance.user_data)
    write(root, "etc/hostname", name + "\n")
    write(root, "etc/hosts", f"127.0.0.1 localhost\n127.0.1.1 {name}\n")
    write(root, "var/lib/cloud/meminfo", meminfo(instance.mib), 0o444)
    plant_keys(root, instance, config)
    if instance.image["owner"] == UBUNTU:
        plant_ubuntu(root, instance.image)
    public = plant_host_keys(root, config)
    plant_files(root, config)
    script = script or script_of(config)
    if script:
        write(root, "var/lib/cloud/user-data", script, 0o700)
    return "".join(f"cloud-init: {line}\n" for line in complaints) + \
        "-----BEGIN SSH HOST KEY KEYS-----\n" + "".join(f"{key}\n" for key in public) + "-----END SSH HOST KEY KEYS-----\n"
