"""GET /v1/status: how things stand with the pools that the token sees, and what is wrong."""

import unittest

import world


class Status(world.Case):
    engines = 2

    def status(self, **kwargs):
        return self.world.get("/v1/status", **kwargs)

    def pool(self, name="default", **kwargs):
        return next(p for p in self.status(**kwargs)["pools"] if p["name"] == name)

    def test_counts(self):
        before = self.pool()
        self.assertEqual(before["hosts"], {"spawned": 0, "active": 2, "inactive": 0, "suspended": 0, "probation": 0})
        self.world.blueprint("counted", memory_bytes=64 << 20)
        row = self.world.run("counted")
        after = self.pool()
        self.assertEqual(after["instances"], before["instances"] + 1)
        self.assertGreaterEqual(after["reserved"]["memory_bytes"], before["reserved"]["memory_bytes"] + (64 << 20))
        self.assertEqual(after["capacity"], before["capacity"])
        self.world.ok("DELETE", f"/v1/instances/{row['id']}")
        self.world.await_state(row["id"], "stopped")

    def test_the_queue_and_who_can_never_run(self):
        self.world.blueprint("huge", memory_bytes=40 << 30, max_per_user=10)
        running = [self.world.run("huge")["id"] for _ in range(2)]
        made = self.world.ok("POST", "/v1/instances", {"blueprint": "huge"}).json
        self.assertEqual(made["state"], "queued")
        queue = self.pool()["queue"]
        self.assertEqual((queue["length"], queue["oldest"]), (1, made["id"]))
        self.assertGreaterEqual(queue["oldest_s"], 0)
        policy = self.world.get("/v1/pools/default")["policy"]
        self.world.ok("PUT", "/v1/pools/default", policy | {"reserve": {"memory_bytes": 30 << 30}})

        def misfit():
            return [w for w in self.status()["wrong"] if w["kind"] == "queue_misfit"]

        wrong = world.wait_for(misfit, "it is found that no host holds it")[0]
        self.assertEqual((wrong["pool"], wrong["count"], wrong["names"]), ("default", 1, ["huge"]))
        self.world.ok("PUT", "/v1/pools/default", policy)
        for instance in (made["id"], *running):
            self.world.ok("DELETE", f"/v1/instances/{instance}")
            self.world.await_state(instance, "stopped", "failed")
        self.assertEqual(self.pool()["queue"], {"length": 0, "oldest_s": None, "oldest": None})

    def test_hosts_out_of_service(self):
        self.world.ok("POST", "/v1/hosts/h1/drain", {"deadline_s": 0})
        world.wait_for(lambda: self.world.get("/v1/hosts/h1")["waiting_for"] is None, "it is empty")
        wrong = [w for w in self.status()["wrong"] if w["kind"] == "host_out"]
        self.assertEqual([(w["count"], w["names"]) for w in wrong], [(1, ["h1"])])
        self.assertEqual(self.pool()["hosts"]["inactive"], 1)
        self.world.ok("POST", "/v1/hosts/h1/activate")
        self.assertEqual([w for w in self.status()["wrong"] if w["kind"] == "host_out"], [])

    def test_money_and_ceilings(self):
        policy = self.world.get("/v1/pools/default")["policy"]
        self.world.ok("PUT", "/v1/pools/default", policy | {"budget_per_month": 7, "launches_per_hour": 9})
        pool = self.pool()
        self.assertEqual(pool["money"], {"spent": 0, "committed": 0, "budget": 7})
        self.assertEqual((pool["launches_last_hour"], pool["launches_per_hour"]), (0, 9))
        self.world.ok("PUT", "/v1/pools/default", policy)

    def test_only_what_the_token_sees(self):
        self.world.ok("PUT", "/v1/pools/empty", {})
        self.assertIn("no_host", [w["kind"] for w in self.status()["wrong"] if w["pool"] == "empty"])
        scoped = self.world.token("near", "operator", pools=["default"])
        seen = self.status(token=scoped)
        self.assertEqual([p["name"] for p in seen["pools"]], ["default"])
        self.assertNotIn("empty", [w["pool"] for w in seen["wrong"]])
        self.problem(self.world.call("GET", "/v1/status", token=self.world.token("u", "user")), 403, "forbidden")
        one = self.world.get("/v1/status?pool=empty")
        self.assertEqual([p["name"] for p in one["pools"]], ["empty"])
        self.problem(self.world.call("GET", "/v1/status?pool=empty", token=scoped), 404, "not_found")
        self.problem(self.world.call("GET", "/v1/status?pool=none"), 404, "not_found")
        self.problem(self.world.call("GET", "/v1/status?limit=1"), 400, "invalid_request")


if __name__ == "__main__":
    unittest.main(verbosity=2)
