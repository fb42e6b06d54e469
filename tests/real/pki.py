"""A throw-away certificate authority for mutual TLS, made with the openssl program (P-256)."""

import dataclasses
import os
import subprocess

DAYS = "2"


@dataclasses.dataclass(frozen=True)
class Identity:
    """Paths of one certificate, its key and the authority that signed it."""

    ca: str
    cert: str
    key: str


class Authority:
    """Signs certificates below one directory; the directory belongs to the caller."""

    def __init__(self, directory, name="berth test CA"):
        self.directory = directory
        os.makedirs(directory, mode=0o700, exist_ok=True)
        self.ca = os.path.join(directory, "ca.pem")
        self._ca_key = os.path.join(directory, "ca-key.pem")
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-sha256", "-days", DAYS, "-subj", f"/CN={name}",
                 "-addext", "basicConstraints=critical,CA:TRUE",
                 "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                 "-keyout", self._ca_key, "-out", self.ca)

    def server(self, name, addresses):
        """A server certificate for the IP addresses."""
        names = ",".join(f"IP:{a}" for a in addresses)
        return self._issue(name, f"subjectAltName={names}\nextendedKeyUsage=serverAuth\n")

    def named(self, name, host):
        """A server certificate for a name."""
        return self._issue(name, f"subjectAltName=DNS:{host}\nextendedKeyUsage=serverAuth\n")

    def client(self, name):
        return self._issue(name, "extendedKeyUsage=clientAuth\n")

    def _issue(self, name, extensions):
        base = os.path.join(self.directory, name)
        key, request, cert, ext = base + "-key.pem", base + ".csr", base + "-cert.pem", base + ".ext"
        with open(ext, "w", encoding="ascii") as f:
            f.write(extensions)
        _openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        _openssl("x509", "-req", "-sha256", "-days", DAYS, "-in", request, "-CA", self.ca,
                 "-CAkey", self._ca_key, "-CAcreateserial", "-extfile", ext, "-out", cert)
        return Identity(ca=self.ca, cert=cert, key=key)


def _openssl(*arguments):
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {arguments[0]} failed: {done.stderr.strip()}")
