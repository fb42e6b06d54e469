"""What the region sells: machine types, images, zones, subnets. Prices are dollars an hour, about those of Frankfurt."""

import zlib

TYPES = {name: {"vcpus": vcpus, "mib": mib, "usd": usd, "arch": arch} for name, vcpus, mib, usd, arch in [
    ("t3.nano", 2, 512, 0.0060, "x86_64"),
    ("t3.micro", 2, 1024, 0.0120, "x86_64"),
    ("t3.small", 2, 2048, 0.0240, "x86_64"),
    ("t3.medium", 2, 4096, 0.0480, "x86_64"),
    ("t3.large", 2, 8192, 0.0960, "x86_64"),
    ("t3.xlarge", 4, 16384, 0.1920, "x86_64"),
    ("t4g.micro", 2, 1024, 0.0096, "arm64"),
    ("t4g.medium", 2, 4096, 0.0384, "arm64"),
    ("t4g.large", 2, 8192, 0.0768, "arm64"),
    ("c6i.large", 2, 4096, 0.0970, "x86_64"),
    ("m6i.large", 2, 8192, 0.1150, "x86_64"),
    ("m6i.xlarge", 4, 16384, 0.2300, "x86_64"),
    ("m6i.2xlarge", 8, 32768, 0.4600, "x86_64"),
    ("m6a.large", 2, 8192, 0.1035, "x86_64"),
    ("r6i.large", 2, 16384, 0.1520, "x86_64"),
    ("r6i.xlarge", 4, 32768, 0.3040, "x86_64"),
]}

DEBIAN, UBUNTU = "136693071363", "099720109477"
IMAGES = [dict(zip(("id", "owner", "name", "arch", "created", "gib", "root"), row)) for row in [
    ("ami-0deb1200000000001", DEBIAN, "debian-12-amd64-20240102-1614", "x86_64", "2024-01-02T16:30:11", 8, "/dev/xvda"),
    ("ami-0deb1200000000002", DEBIAN, "debian-12-amd64-20250316-2053", "x86_64", "2025-03-16T21:07:40", 8, "/dev/xvda"),
    ("ami-0deb1200000000003", DEBIAN, "debian-12-arm64-20250316-2053", "arm64", "2025-03-16T21:08:02", 8, "/dev/xvda"),
    ("ami-0bb22040000000001", UBUNTU, "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20250305", "x86_64",
     "2025-03-05T09:15:00", 8, "/dev/sda1"),
    ("ami-0bb24040000000001", UBUNTU, "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20250305", "x86_64",
     "2025-03-05T09:12:00", 8, "/dev/sda1"),
    ("ami-0bb24040000000002", UBUNTU, "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64-server-20250305", "arm64",
     "2025-03-05T09:13:00", 8, "/dev/sda1"),
]]


class Catalog:
    def __init__(self, config):
        self.region = config["region"]
        self.zones = [self.region + letter for letter in "abc"]
        self.types = {**TYPES, **config["types"]}
        self.images = {image["id"]: image for image in IMAGES + config["images"]}
        self.spot = config["spot"]
        self.vpc = "vpc-0be4700000000000a"
        self.subnets = {f"subnet-0be470000000000{n:x}a": {
            "id": f"subnet-0be470000000000{n:x}a", "zone": zone, "cidr": f"172.31.{16 * n}.0/20", "default": True}
            for n, zone in enumerate(self.zones)}

    def default_subnet(self, zone):
        return next(s for s in self.subnets.values() if s["zone"] == zone)

    def spot_price(self, kind, zone, at):
        """The same at each asking; changes with each period."""
        period = int(at // self.spot["period_s"])
        chance = zlib.crc32(f"{kind}/{zone}/{period}".encode()) / 0xffffffff
        share = self.spot["low"] + (self.spot["high"] - self.spot["low"]) * chance
        return round(self.types[kind]["usd"] * share, 6)

    def spot_since(self, at):
        """When the price of the time `at` began."""
        return at // self.spot["period_s"] * self.spot["period_s"]
