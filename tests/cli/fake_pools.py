"""The pools of the daemon of straw."""

from .rows import Problem, ago, shown

ID = "([^/]+)"


def put_pool(fake, request, name):
    if not any(pool["name"] == name for pool in fake.rows["pools"]):
        return 201, {}, shown({**fake.add_pool(name), "policy": request["body"], "configured": False})
    row = fake.find("pools", name, "name")
    if request["headers"].get("if-match") not in (None, f'"{row["rev"]}"'):
        raise Problem(412, "precondition_failed", "it was changed in the meantime")
    row["policy"], row["rev"] = request["body"], row["rev"] + 1
    return 200, {}, shown(row)


def get_plan(fake, request, name):
    pool = fake.find("pools", name, "name")
    rounds = int(request["query"].get("rounds", 5))
    return 200, {}, {**fake.plan, "pool": name, "revision": f"rev-{pool['rev']}", "rounds": fake.plan["rounds"][:rounds]}


def apply_plan(fake, request, name):
    pool = fake.find("pools", name, "name")
    if request["body"] != {"revision": f"rev-{pool['rev']}"}:
        raise Problem(412, "precondition_failed", f"pool {name} has moved since that plan was made; ask for a new plan")
    return 202, {}, shown(fake.add_operation(pool=name, text="2 of 2 actions begun"))


def pool_orphans(fake, name):
    fake.find("pools", name, "name")
    return {"pool": name, "cluster_id": "c-1", "listed_at": ago(0), "complete": True, "machines": 9, "stopped": 0, "most": 5,
            "items": [], **fake.orphans.get(name, {})}


def end_orphans(fake, request, name):
    answer = pool_orphans(fake, name)
    named = request["body"]["machines"]
    unknown = set(named) - {i["id"] for i in answer["items"]}
    if unknown:
        raise Problem(404, "not_found", f"{unknown} are no machines of ours")
    items = [{**i, "verdict": "ending"} if i["id"] in named else i for i in answer["items"]]
    return 202, {}, {**answer, "items": items}


def shut_down(fake, _request, name):
    fake.find("pools", name, "name")["policy"]["shutdown"] = True
    return 202, {}, shown(fake.add_operation("pool_shutdown", pool=name, text="2 instances on 2 hosts end by then"))


SSH_KEY = {"public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUbkbsUzoT0qc9xUhvFqHRVjPcbyWOdmGKDbKWBoA0m berth"}

DRIFT = {"revision": "00ff", "playbook_drift": "ignore", "hosts": 2, "items": [
    {"host": "h-0000000000001", "name": "rent-1", "state": "active", "revision": "0001", "drift": "differs", "running": False,
     "failures": 0}]}

HANDLERS = [
    ("GET", f"/v1/pools/{ID}/drift", lambda fake, _request, name: (200, {}, {
        **DRIFT, "pool": fake.find("pools", name, "name")["name"]})),
    ("GET", "/v1/ssh-key", lambda _fake, _request: (200, {}, SSH_KEY)),
    ("POST", f"/v1/pools/{ID}/shutdown", shut_down),
    ("PUT", f"/v1/pools/{ID}", put_pool),
    ("GET", f"/v1/pools/{ID}/plan", get_plan),
    ("POST", f"/v1/pools/{ID}/plan/apply", apply_plan),
    ("GET", f"/v1/pools/{ID}/orphans", lambda fake, _r, name: (200, {}, pool_orphans(fake, name))),
    ("POST", f"/v1/pools/{ID}/orphans/terminate", end_orphans),
]
