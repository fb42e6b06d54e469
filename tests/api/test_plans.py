"""A pool's plan: read, carried out as long as it holds, refused when it does not."""

import unittest

import world


class Slow(world.World):
    """No round of its own comes in between."""

    def config(self):
        return {**super().config(), "housekeeping": {"interval_s": 3600}}


class Plans(world.Case):
    @classmethod
    def setUpClass(cls):
        cls.world = Slow(2)

    def setUp(self):
        policy = self.world.get("/v1/pools/default")["policy"]
        self.world.ok("PUT", "/v1/pools/default", policy | {"shutdown": False})
        for host in self.world.get("/v1/hosts?state=inactive")["items"]:
            self.world.ok("POST", f"/v1/hosts/{host['id']}/activate")

    def plan(self, rounds=1, **kwargs):
        return self.world.get(f"/v1/pools/default/plan?rounds={rounds}", **kwargs)

    def apply(self, revision, **kwargs):
        return self.world.call("POST", "/v1/pools/default/plan/apply", {"revision": revision}, **kwargs)

    def shut_down(self, shutdown=True):
        policy = self.world.get("/v1/pools/default")["policy"]
        self.world.ok("PUT", "/v1/pools/default", policy | {"shutdown": shutdown})

    def states(self):
        return [h["state"] for h in self.world.get("/v1/hosts")["items"]]

    def test_reading_it_changes_nothing(self):
        self.shut_down()
        plan = self.plan()
        self.assertEqual({a["host"] for a in plan["rounds"][0]["actions"]}, {"h0", "h1"})
        for action in plan["rounds"][0]["actions"]:
            self.assertIn(action["kind"], ("drain", "inactivate"))
            self.assertEqual(action["cause"], "shutdown")
            self.assertTrue(action["reason"])
        self.assertEqual(self.plan()["revision"], plan["revision"])
        self.assertEqual(self.states(), ["active", "active"])

    def test_it_is_carried_out_once(self):
        self.shut_down()
        revision = self.plan()["revision"]
        answer = self.apply(revision, key="once")
        self.assertEqual(answer.status, 202)
        self.assertEqual((answer.json["kind"], answer.json["pool"]), ("housekeeping", "default"))
        self.assertEqual(self.world.get(answer.headers["location"])["state"], "done")
        self.assertEqual(self.states(), ["inactive", "inactive"])
        self.assertEqual(self.apply(revision, key="once").json, answer.json)
        self.problem(self.apply(revision), 412, "precondition_failed")

    def test_a_round_tells_what_it_did(self):
        self.shut_down()
        operation = self.world.ok("POST", "/v1/housekeeping").headers["location"]
        world.wait_for(lambda: self.world.get(operation)["state"] == "done", "the round is over")
        self.assertRegex(self.world.get(operation)["text"], r"^(drain|inactivate) 2")

    def test_a_pool_that_has_moved_is_said(self):
        revision = self.plan()["revision"]
        self.shut_down()
        problem = self.problem(self.apply(revision), 412, "precondition_failed")
        self.assertIn("has moved since", problem["detail"])
        self.assertIn(self.plan()["revision"], problem["detail"])
        self.assertIn("ask for a new plan", problem["detail"])
        self.assertEqual(self.states(), ["active", "active"])

    def test_the_plan_tells_the_ceilings(self):
        policy = self.world.get("/v1/pools/default")["policy"]
        self.world.ok("PUT", "/v1/pools/default", policy | {"budget_per_month": 12.5, "launches_per_hour": 0})
        plan = self.plan()
        self.assertEqual(plan["money"], {"spent": 0, "committed": 0, "budget": 12.5})
        self.assertEqual((plan["launches_last_hour"], plan["launches_per_hour"]), (0, None))
        self.world.ok("PUT", "/v1/pools/default", policy)
        plan = self.plan()
        self.assertEqual((plan["money"]["budget"], plan["launches_per_hour"]), (None, 20))

    def test_bad_input(self):
        for rounds in ("0", "11", "-1", "x", ""):
            problem = self.problem(self.world.call("GET", f"/v1/pools/default/plan?rounds={rounds}"), 400, "invalid_request")
            self.assertEqual(problem["errors"][0]["pointer"], "?rounds")
        problem = self.problem(self.world.call("GET", "/v1/pools/default/plan?colour=1"), 400, "invalid_request")
        self.assertEqual(problem["errors"][0]["pointer"], "?colour")
        for body, pointer in (({}, "/revision"), ({"revision": 7}, "/revision"), ({"revision": ""}, "/revision"),
                              ({"revision": "a" * 65}, "/revision"), ({"revision": "a", "force": True}, "/force")):
            answer = self.world.call("POST", "/v1/pools/default/plan/apply", body)
            self.assertEqual(answer.status, 400, answer)
            self.assertIn(pointer, [e["pointer"] for e in answer.json["errors"]])
        self.assertEqual(self.world.call("POST", "/v1/pools/default/plan/apply").status, 400)
        self.problem(self.apply("0123456789abcdef"), 412, "precondition_failed")

    def test_other_pools(self):
        for path in ("/v1/pools/none/plan", "/v1/pools/UPPER/plan"):
            self.problem(self.world.call("GET", path), 404, "not_found")
        self.problem(self.world.call("POST", "/v1/pools/none/plan/apply", {"revision": "a"}), 404, "not_found")
        far = self.world.token("far", "operator", pools=["elsewhere"])
        self.problem(self.world.call("GET", "/v1/pools/default/plan", token=far), 404, "not_found")
        self.problem(self.apply(self.plan()["revision"], token=far), 404, "not_found")
        user = self.world.token("ann", "user")
        self.problem(self.world.call("GET", "/v1/pools/default/plan", token=user), 403, "forbidden")


if __name__ == "__main__":
    unittest.main(verbosity=2)
