"""Lists: pages that stay right while rows come and go, filters, ETags and preconditions."""

import random
import unittest

import world


class Lists(world.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.world.blueprint()
        cls.made = cls.world.ok("POST", "/v1/instances", {"blueprint": "web", "count": 250, "name": "many"}).json["items"]

    def ids(self, path, limit):
        return [row["id"] for row in self.world.pages(path, limit)]

    def test_all_or_none(self):
        self.assertEqual(len({i["id"] for i in self.made}), 250)
        self.world.blueprint("few", max_per_user=3)
        answer = self.world.call("POST", "/v1/instances", {"blueprint": "few", "count": 4})
        self.problem(answer, 403, "quota_exceeded")
        self.assertEqual(self.ids("/v1/instances?blueprint=few", 10), [])

    def test_every_page_size_gives_the_same(self):
        whole = self.ids("/v1/instances", 1000)
        self.assertEqual(whole, sorted(whole))
        for limit in (1, 7, 100, 249, 250, 251):
            self.assertEqual(self.ids("/v1/instances", limit), whole)

    def test_pages_stay_right_while_rows_come_and_go(self):
        """What is there all the time is seen exactly once; nothing is seen twice."""
        w, rng = self.world, random.Random(1)
        stay = set(self.ids("/v1/instances", 1000))
        seen, cursor = [], ""
        while True:
            page = w.get(f"/v1/instances?limit=10{cursor}")
            seen += [row["id"] for row in page["items"]]
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
            if rng.random() < 0.5:
                w.ok("POST", "/v1/instances", {"blueprint": "web", "name": "new"})
            if rng.random() < 0.3:
                w.ok("PUT", f"/v1/blueprints/b{rng.randrange(9)}", {"image": "sample:1", "memory_bytes": 16 << 20})
        self.assertEqual(len(seen), len(set(seen)))
        self.assertEqual(stay - set(seen), set())

    def test_filters(self):
        w = self.world
        token = w.token("finn", "user")
        mine = w.ok("POST", "/v1/instances", {"blueprint": "web"}, token=token).json["id"]
        self.assertEqual(self.ids("/v1/instances?owner=finn", 100), [mine])
        self.assertEqual(len(self.ids("/v1/instances?name=many-17", 100)), 1)
        self.assertEqual(self.ids("/v1/instances?pool=nowhere", 100), [])
        self.assertEqual(self.ids("/v1/instances?host=nowhere", 100), [])
        self.assertEqual(self.ids("/v1/instances?blueprint=nothing", 100), [])
        w.await_state(mine, "running")
        self.assertEqual(self.ids("/v1/instances?owner=finn&state=running&host=h0", 100), [mine])
        self.assertEqual(self.ids("/v1/instances?owner=finn&state=queued", 100), [])
        w.ok("DELETE", f"/v1/instances/{mine}")
        w.await_state(mine, "stopped")
        self.assertEqual(self.ids("/v1/instances?owner=finn&state=ended", 100), [mine])
        self.assertEqual(self.ids("/v1/instances?owner=finn&state=live", 100), [])

    def test_cursors_of_other_lists_are_refused(self):
        page = self.world.get("/v1/instances?limit=1")
        for path in ("hosts", "tokens", "blueprints", "events", "operations", "pools"):
            self.assertEqual(self.world.call("GET", f"/v1/{path}?cursor={page['next']}").status, 400)

    def test_long_lists_come_whole(self):
        """More than one slice: the body is made and sent in pieces."""
        answer = self.world.ok("GET", "/v1/instances?limit=1000")
        self.assertGreater(len(answer.body), 100000)
        self.assertEqual(int(answer.headers["content-length"]), len(answer.body))
        self.assertGreaterEqual(len(answer.json["items"]), 250)
        self.assertEqual(self.world.call("HEAD", "/v1/instances?limit=1000").headers["content-length"].isdigit(), True)

    def test_deleting_twice_is_harmless(self):
        path = f"/v1/instances/{self.made[0]['id']}"
        self.assertEqual(self.world.call("DELETE", path).status, 202)
        self.assertEqual(self.world.call("DELETE", path).status, 202)
        self.world.await_state(self.made[0]["id"], "stopped")
        self.assertIn(self.world.call("DELETE", path).status, (202, 404))


class Preconditions(world.Case):
    def test_blueprints(self):
        w = self.world
        spec = {"image": "sample:1", "memory_bytes": 16 << 20}
        path = "/v1/blueprints/etag"
        self.problem(w.call("PUT", path, spec, If_Match='"1"'), 412, "precondition_failed")
        made = w.call("PUT", path, spec, If_None_Match="*")
        self.assertEqual((made.status, made.headers["etag"]), (201, '"1"'))
        self.problem(w.call("PUT", path, spec, If_None_Match="*"), 412, "precondition_failed")
        self.problem(w.call("POST", "/v1/blueprints", {**spec, "name": "etag"}), 409, "conflict")
        self.assertEqual(w.call("GET", path, If_None_Match='"1"').status, 304)
        self.assertEqual(w.call("GET", path, If_None_Match='"x", "1"').status, 304)
        self.assertEqual(w.call("GET", path, If_None_Match='"2"').status, 200)
        same = w.ok("PUT", path, spec)
        self.assertEqual(same.json["version"], 1)
        changed = w.ok("PUT", path, {**spec, "pids": 100}, If_Match='"1"')
        self.assertEqual((changed.status, changed.json["version"], changed.headers["etag"]), (200, 2, '"2"'))
        for tag in ('"1"', 'W/"2"', '"02"', '""', "2", "x"):
            self.problem(w.call("PUT", path, spec, If_Match=tag), 412, "precondition_failed")
            self.problem(w.call("DELETE", path, If_Match=tag), 412, "precondition_failed")
        self.assertEqual(w.call("DELETE", path, If_Match="*").status, 204)
        self.assertEqual(w.call("GET", path).status, 404)
        self.problem(w.call("DELETE", path), 404, "not_found")

    def test_instances_keep_their_version(self):
        w = self.world
        w.blueprint("kept", memory_bytes=16 << 20)
        row = w.run("kept")
        w.blueprint("kept", memory_bytes=32 << 20)
        again = w.get(f"/v1/instances/{row['id']}")
        self.assertEqual((again["blueprint_version"], again["memory_bytes"]), (1, 16 << 20))
        newer = w.run("kept")
        self.assertEqual((newer["blueprint_version"], newer["memory_bytes"]), (2, 32 << 20))
        older = w.run("kept", blueprint_version=1)
        self.assertEqual(older["blueprint_version"], 1)

    def test_extend(self):
        w = self.world
        w.blueprint("short", lifetime_s=600)
        row = w.run("short")
        path = f"/v1/instances/{row['id']}"
        got = w.ok("GET", path)
        tag = got.headers["etag"]
        self.assertEqual(w.call("GET", path, If_None_Match=tag).status, 304)
        sooner = w.ok("POST", f"{path}/extend", {"lifetime_s": 300}, If_Match=tag)
        self.assertLess(sooner.json["ends_at"], row["ends_at"])
        self.problem(w.call("POST", f"{path}/extend", {"lifetime_s": 5}, If_Match=tag), 412, "precondition_failed")
        self.problem(w.call("POST", f"{path}/extend", {"lifetime_s": 6000}), 400, "invalid_request")
        self.problem(w.call("DELETE", path, If_Match=tag), 412, "precondition_failed")
        w.blueprint("endless")
        path = f"/v1/instances/{w.run('endless')['id']}"
        self.assertIsNone(w.ok("POST", f"{path}/extend", {"lifetime_s": 0}).json["ends_at"])
        at = w.ok("POST", f"{path}/extend", {"ends_at": "2099-01-02T03:04:05+01:00"}).json["ends_at"]
        self.assertEqual(at, "2099-01-02T02:04:05.000Z")
        for body in ({}, {"lifetime_s": 1, "ends_at": "2099-01-01T00:00:00Z"}, {"ends_at": "2000-01-01T00:00:00Z"}):
            self.assertEqual(w.call("POST", f"{path}/extend", body).status, 400)

    def test_pools(self):
        w = self.world
        made = w.ok("PUT", "/v1/pools/tagged", {}, If_None_Match="*")
        tag = made.headers["etag"]
        self.problem(w.call("PUT", "/v1/pools/tagged", {}, If_None_Match="*"), 412, "precondition_failed")
        changed = w.ok("PUT", "/v1/pools/tagged", {"anti_affinity": 2}, If_Match=tag)
        self.assertNotEqual(changed.headers["etag"], tag)
        self.assertEqual(changed.json["policy"]["anti_affinity"], 2)
        self.problem(w.call("PUT", "/v1/pools/tagged", {}, If_Match=tag), 412, "precondition_failed")
        self.problem(w.call("PUT", "/v1/pools/absent", {}, If_Match='"1"'), 412, "precondition_failed")

    def test_hosts(self):
        host = self.world.ok("GET", "/v1/hosts/h0")
        self.assertEqual(self.world.call("GET", "/v1/hosts/h0", If_None_Match=host.headers["etag"]).status, 304)
        self.problem(self.world.call("POST", "/v1/hosts/h0/drain", {}, If_Match='"999999"'), 412, "precondition_failed")


if __name__ == "__main__":
    unittest.main(verbosity=2)
