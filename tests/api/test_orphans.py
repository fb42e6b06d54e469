"""Machines without a host: what a pool that rents none answers, and what is refused."""

import unittest

import world


class Orphans(world.Case):
    def end(self, machines, pool="default", **kwargs):
        return self.world.call("POST", f"/v1/pools/{pool}/orphans/terminate", {"machines": machines}, **kwargs)

    def test_a_pool_that_rents_nothing(self):
        problem = self.problem(self.world.call("GET", "/v1/pools/default/orphans"), 409, "conflict")
        self.assertIn("pool default rents no machines: its provider is static", problem["detail"])
        self.problem(self.end(["i-1"]), 409, "conflict")

    def test_bad_input(self):
        self.problem(self.world.call("GET", "/v1/pools/none/orphans"), 404, "not_found")
        self.problem(self.end(["i-1"], pool="none"), 404, "not_found")
        for machines in ([], ["x y"], [""], [7], "i-1", ["i-" + "0" * 60]):
            problem = self.problem(self.end(machines), 400, "invalid_request")
            self.assertTrue(problem["errors"][0]["pointer"].startswith("/machines"), problem)

    def test_who_may(self):
        operator = self.world.token("op", "operator")
        self.problem(self.world.call("GET", "/v1/pools/default/orphans", token=operator), 409, "conflict")
        self.problem(self.end(["i-1"], token=operator), 403, "forbidden")
        user = self.world.token("ann", "user")
        self.problem(self.world.call("GET", "/v1/pools/default/orphans", token=user), 403, "forbidden")


if __name__ == "__main__":
    unittest.main(verbosity=2)
