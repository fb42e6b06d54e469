"""What tests of machines of the kind real share: settings, keys, and whether such machines can be here."""

import os
import pathlib
import shutil
import subprocess

from tests.cloud.real import make_root

SOURCE = pathlib.Path(os.environ.get("BERTH_SOURCE", pathlib.Path(__file__).parents[2]))
LIFE = {"visible_after_s": 0, "pending_s": 0.1, "shutdown_s": 0.1, "stop_s": 0.1}
MACHINES = {"kind": "real", "root": str(SOURCE / "build/cloud/root"), "state": str(SOURCE / "build/cloud/machines")}
PROGRAMS = ("debootstrap", "systemd-nspawn", "ip", "dpkg-scanpackages", "ssh")


def new_key(path):
    """(private, public) of an ed25519 pair without a comment, each with its newline."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path], check=True)
    return pathlib.Path(path).read_text(), pathlib.Path(f"{path}.pub").read_text()


def why_not(*programs):
    """Why no such machines can be here, or not with these programs too; empty: they can, and their file system is made."""
    if os.geteuid() != 0:
        return "real machines take root"
    missing = [p for p in (*PROGRAMS, *programs) if not shutil.which(p)]
    if missing:
        return f"there is no {missing[0]}"
    try:
        make_root(MACHINES["root"])
    except subprocess.CalledProcessError:
        return "the machines' file system could not be made, see above"
    return ""
