"""What every machine cost, what is alive, what was left behind."""

from .clock import iso


def matches(instance, wanted):
    """wanted: "key" or "key=value", or nothing"""
    key, _, value = (wanted or "").partition("=")
    return not wanted or (key in instance.tags and value in ("", instance.tags[key]))


def row(cloud, instance, now):
    left = [v.id for v in instance.volumes if instance.state == "terminated" and v.gone is None]
    return {"id": instance.id, "type": instance.kind, "zone": instance.zone, "market": "spot" if instance.spot_request
            else "on-demand", "state": instance.state, "reason": instance.reason, "token": instance.token,
            "launched": iso(instance.launched), "ended": iso(instance.changed) if instance.state == "terminated" else None,
            "charged_s": round(instance.seconds_charged(now), 3),
            "usd": round(instance.cost(now, cloud.config["volume_usd_per_gib_month"]), 6),
            "tags": instance.tags, "tagged_at_launch": instance.tagged_at_launch, "volumes_left": left}


def ledger(cloud, tag=None):
    """`alive` costs money now or will again; what is alive when all ought to be over, has leaked."""
    now = cloud.clock.now()
    rows = [row(cloud, i, now) for i in cloud.instances.values() if matches(i, tag)]
    return {
        "at": iso(now), "machines": rows, "launched": len(rows), "usd": round(sum(r["usd"] for r in rows), 6),
        "alive": [r["id"] for r in rows if r["state"] not in ("shutting-down", "terminated")],
        "untagged": [r["id"] for r in rows if not r["tagged_at_launch"]],
        "volumes_left": [v for r in rows for v in r["volumes_left"]],
        "calls": dict(sorted(cloud.counts.items())),
    }


def table(book):
    """For people."""
    lines = [f"{'INSTANCE':21}{'TYPE':13}{'ZONE':15}{'MARKET':11}{'STATE':15}{'SECONDS':>10}{'USD':>12}"]
    for r in book["machines"]:
        lines.append(f"{r['id']:21}{r['type']:13}{r['zone']:15}{r['market']:11}{r['state']:15}{r['charged_s']:>10.0f}"
                     f"{r['usd']:>12.6f}")
    lines.append(f"{book['launched']} launched, {len(book['alive'])} alive, {len(book['untagged'])} launched without tags, "
                 f"{len(book['volumes_left'])} volumes left behind; {book['usd']:.6f} USD in all")
    lines += [f"ALIVE: {one}" for one in book["alive"]]
    lines += [f"LEFT: {one}" for one in book["volumes_left"]]
    return "\n".join(lines) + "\n"
