"""The sample image, made from nothing: busybox with its applets and the fixture program.

The archive is what `docker save` writes and POST /images/load reads; its bytes depend only on its
content, so that every engine knows the image by the same id.
"""

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile

NAME = "berth-sample:1"
EPOCH = "2020-01-01T00:00:00Z"
FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "www/index.html": "sample answers\n",
}
HERE = os.path.dirname(os.path.abspath(__file__))


def build(directory, name=NAME):
    """Writes the archive below directory and returns its path."""
    layer = _layer(directory)
    digest = hashlib.sha256(layer).hexdigest()
    config = json.dumps({
        "architecture": "amd64" if os.uname().machine == "x86_64" else "arm64",
        "os": "linux", "created": EPOCH,
        "config": {"Cmd": ["httpd", "-f", "-p", "8080", "-h", "/www"], "Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest]},
        "history": [{"created": EPOCH, "created_by": "berth tests"}],
    }).encode()
    config_name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = json.dumps([{"Config": config_name, "RepoTags": [name],
                            "Layers": [f"{digest}/layer.tar"]}]).encode()
    path = os.path.join(directory, "sample.tar")
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as out:
        _add(out, config_name, config)
        _add(out, f"{digest}/layer.tar", layer)
        _add(out, "manifest.json", manifest)
    return path


def _layer(directory):
    busybox = shutil.which("busybox")
    if busybox is None:
        raise RuntimeError("busybox is not installed (package busybox-static)")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as out:
        for folder in ("bin", "etc", "www", "tmp", "root"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            out.addfile(entry)
        with open(busybox, "rb") as f:
            _add(out, "bin/busybox", f.read(), 0o755)
        with open(_fixture(directory), "rb") as f:
            _add(out, "bin/fixture", f.read(), 0o755)
        for path, text in FILES.items():
            _add(out, path, text.encode())
        applets = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True)
        for applet in sorted(set(applets.stdout.split()) - {"busybox"}):
            entry = tarfile.TarInfo("bin/" + applet)
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            out.addfile(entry)
    return buffer.getvalue()


def _fixture(directory):
    program = os.path.join(directory, "fixture")
    compiler = os.environ.get("CC", "cc")
    subprocess.run([compiler, "-O1", "-static", "-o", program, os.path.join(HERE, "fixture.c")], check=True)
    return program


def _add(archive, name, content, mode=0o644):
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))
