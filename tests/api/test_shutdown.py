"""A pool is shut down by a person: over a restart, whatever the configuration says, until a person sets it back."""

import unittest

import world


class Shutdown(world.Case):
    engines = 2

    def tearDown(self):
        policy = self.world.get("/v1/pools/default")["policy"]
        self.world.ok("PUT", "/v1/pools/default", policy | {"shutdown": False})
        for host in self.world.get("/v1/hosts?state=inactive")["items"]:
            self.world.ok("POST", f"/v1/hosts/{host['id']}/activate")

    def shut_down(self, *args, pool="default", **kwargs):
        return self.world.call("POST", f"/v1/pools/{pool}/shutdown", *args, **kwargs)

    def running(self, name):
        self.world.blueprint(name)
        return self.world.run(name)["id"]

    def test_what_runs_is_stopped_at_the_deadline(self):
        row = self.running("stopped")
        answer = self.shut_down({"deadline_s": 0}, key="once")
        self.assertEqual((answer.status, answer.json["kind"], answer.json["pool"]), (202, "pool_shutdown", "default"))
        self.assertEqual(self.shut_down({"deadline_s": 0}, key="once").json, answer.json)
        operation = answer.headers["location"]
        world.wait_for(lambda: self.world.get(operation)["state"] == "done", "nothing runs any more")
        self.assertIn("nothing runs in pool default any more", self.world.get(operation)["text"])
        self.assertEqual(self.world.get(f"/v1/instances/{row}")["reason"], "its pool was shut down")
        self.assertEqual([h["cause"] for h in self.world.get("/v1/hosts")["items"]], ["shutdown", "shutdown"])

    def test_it_goes_on_after_a_restart_and_stays(self):
        row = self.running("stays")
        operation = self.shut_down({"deadline_s": 3600}).headers["location"]
        self.assertIn("1 instances on 2 hosts end by", self.world.get(operation)["text"])
        self.world.restart()
        self.assertEqual(self.world.get(operation)["state"], "running")
        self.assertTrue(self.world.get("/v1/pools/default")["policy"]["shutdown"])
        self.assertEqual(self.world.get(f"/v1/instances/{row}")["state"], "running")
        self.assertEqual(self.shut_down({"deadline_s": 7200}).headers["location"], operation)
        self.assertEqual(self.world.ok("DELETE", operation).json["state"], "cancelled")
        self.assertFalse(self.world.get("/v1/pools/default")["policy"]["shutdown"])
        world.wait_for(lambda: {h["state"] for h in self.world.get("/v1/hosts")["items"]} == {"active"}, "they work again")
        self.assertEqual(self.world.get(f"/v1/instances/{row}")["state"], "running")
        self.world.ok("DELETE", f"/v1/instances/{row}")
        self.world.await_state(row, "stopped")

    def test_bad_input(self):
        self.problem(self.shut_down(pool="none"), 404, "not_found")
        for body in ({"deadline_s": -1}, {"deadline_s": "soon"}, {"force": True}):
            self.problem(self.shut_down(body), 400, "invalid_request")
        self.problem(self.shut_down(token=self.world.token("ann", "user")), 403, "forbidden")
        self.assertFalse(self.world.get("/v1/pools/default")["policy"]["shutdown"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
