"""Each route of the document × {no token, broken, expired, revoked, other owner, user, operator, admin}."""

import unittest

import world

ROLES = {"none": -1, "user": 0, "operator": 1, "admin": 2}

# What makes a call well formed. Routes that are not here get {} or no body.
BODIES = {
    "createInstances": {"blueprint": "web"},
    "extendInstance": {"lifetime_s": 60},
    "execInInstance": {"command": ["id"]},
    "createBlueprint": {"name": "fresh", "image": "sample:1", "memory_bytes": 16 << 20},
    "putBlueprint": {"image": "sample:1", "memory_bytes": 16 << 20, "ready": {"kind": "none"}},
    "createHost": {"pool": "none", "name": "h9", "engine": "unix:///nothing.sock"},
    "putPool": {},
    "applyPoolPlan": {"revision": "none"},
    "createToken": {"name": "t9", "role": "user"},
    "pullImage": {"reference": "sample:1"},
    "drainHost": {},
    "removeHost": {},
}


class Authorization(world.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        w = cls.world
        w.blueprint()
        cls.tokens = {"user": w.token("ada", "user"), "other": w.token("eve", "user"),
                      "operator": w.token("op", "operator"), "admin": w.admin,
                      "scoped": w.token("far", "operator", pools=["elsewhere"])}
        cls.own = w.run(token=cls.tokens["user"])["id"]
        revoked = w.ok("POST", "/v1/tokens", {"name": "gone", "role": "admin"}).json
        w.ok("DELETE", f"/v1/tokens/{revoked['id']}")
        brief = w.ok("POST", "/v1/tokens", {"name": "brief", "role": "admin", "expires_in_s": 0.05}).json
        cls.bad = {"broken": "berth_" + "0" * 64, "revoked": revoked["token"], "expired": brief["token"]}
        world.wait_for(lambda: w.call("GET", "/v1/version", token=brief["token"]).status == 401, "it has expired")

    def routes(self):
        for path, item in self.world.document["paths"].items():
            for method, operation in item.items():
                yield path, method.upper(), operation

    def ask(self, path, method, operation, token):
        real = path.replace("{name}", "web")
        if "{id}" in real:
            row = {"hosts": "h-0000000000001", "tokens": "t-0000000000001", "operations": "o-0000000000001"}
            real = real.replace("{id}", row.get(path.split("/")[2], self.own))
        body = BODIES.get(operation["operationId"])
        headers = {}
        if operation["operationId"] == "loadImage":
            body, headers = b"tar", {"Content_Type": "application/x-tar"}
        if operation["operationId"] == "listEvents":
            headers = {"Accept": "application/json"}
        return self.world.call(method, real, body, token=token, **headers)

    def test_every_route_without_a_good_token(self):
        count = 0
        for path, method, operation in self.routes():
            public = operation["x-role"] == "none"
            self.assertEqual(operation.get("security") == [], public)
            for token in (None, *self.bad.values()):
                answer = self.ask(path, method, operation, token)
                if public:
                    self.assertNotIn(answer.status, (401, 403), f"{method} {path}")
                    continue
                count += 1
                if answer.status == 429:  # the listener has had enough of us
                    self.assertEqual(answer.headers["retry-after"], "1")
                    self.world.raw_call("GET", "/healthz", {})
                    world.wait_for(lambda: self.world.call("GET", "/v1/version", token=None).status == 401, "again")
                    answer = self.ask(path, method, operation, token)
                self.problem(answer, 401, "unauthorized")
                self.assertIn("Bearer", answer.headers["www-authenticate"])
        self.assertGreater(count, 100)

    def test_every_route_with_every_role(self):
        for path, method, operation in self.routes():
            least = ROLES[operation["x-role"]]
            for role in ("user", "operator", "admin"):
                if operation["operationId"] in ("deleteInstance", "deleteBlueprint"):
                    continue  # below: they would end what the others look at
                answer = self.ask(path, method, operation, self.tokens[role])
                if ROLES[role] < least:
                    self.problem(answer, 403, "forbidden")
                else:
                    self.assertNotIn(answer.status, (401, 403), f"{role}: {method} {path}: {answer}")

    def test_users_see_their_own_only(self):
        for method, tail, body in (("GET", "", None), ("DELETE", "", None), ("POST", "/extend", {"lifetime_s": 5}),
                                   ("POST", "/exec", {"command": ["id"]}), ("GET", "/logs", None),
                                   ("GET", "/stats", None), ("GET", "/explain", None)):
            path = f"/v1/instances/{self.own}{tail}"
            there = self.world.call(method, path, body, token=self.tokens["other"])
            nowhere = self.world.call(method, path.replace(self.own, "i-0000000000001"), body, token=self.tokens["other"])
            self.problem(there, 404, "not_found")
            self.assertEqual(there.json["detail"].replace(self.own, "X"),
                             nowhere.json["detail"].replace("i-0000000000001", "X"))
        self.assertEqual(self.world.get(f"/v1/instances/{self.own}")["state"], "running")

    def test_what_a_pool_does_about_it_is_told_to_operators(self):
        w = self.world
        w.ok("PUT", "/v1/pools/empty", {})
        w.blueprint("lone", pool="empty")
        waits = w.ok("POST", "/v1/instances", {"blueprint": "lone"}, token=self.tokens["user"]).json
        path = f"/v1/instances/{waits['id']}/explain"
        self.assertIsNone(w.get(path, token=self.tokens["user"])["growth"])
        growth = w.get(path, token=self.tokens["operator"])["growth"]
        self.assertEqual((growth["pool"], growth["coming"], growth["refused"]), ("empty", 0, []))
        self.assertEqual([held["hold"] for held in growth["held"]], ["by_hand"])
        w.ok("DELETE", f"/v1/instances/{waits['id']}")
        w.await_state(waits["id"], "stopped")
        self.assertIsNone(w.get(path, token=self.tokens["operator"])["growth"])

    def test_lists_hold_their_own_only(self):
        w = self.world
        mine = {i["id"] for i in w.get("/v1/instances", token=self.tokens["user"])["items"]}
        self.assertIn(self.own, mine)
        for path in ("/v1/instances", f"/v1/instances?owner=ada"):
            theirs = w.get(path, token=self.tokens["other"])["items"]
            self.assertNotIn(self.own, {i["id"] for i in theirs})
        events = w.get("/v1/events?limit=1000", token=self.tokens["other"])["items"]
        self.assertEqual({e["owner"] for e in events} - {"eve"}, set())
        self.assertTrue(w.get("/v1/events?limit=1000", token=self.tokens["user"])["items"])

    def test_a_user_starts_for_itself_only(self):
        answer = self.world.call("POST", "/v1/instances", {"blueprint": "web", "owner": "ada"}, token=self.tokens["other"])
        self.problem(answer, 403, "forbidden")
        made = self.world.ok("POST", "/v1/instances", {"blueprint": "web"}, token=self.tokens["other"]).json
        self.assertEqual(made["owner"], "eve")
        for_other = self.world.ok("POST", "/v1/instances", {"blueprint": "web", "owner": "zoe"},
                                  token=self.tokens["operator"]).json
        self.assertEqual(for_other["owner"], "zoe")

    def test_pools_bound_a_token(self):
        w, token = self.world, self.tokens["scoped"]
        self.assertEqual(w.get("/v1/hosts", token=token)["items"], [])
        self.assertEqual(w.get("/v1/instances", token=token)["items"], [])
        self.assertEqual(w.get("/v1/pools", token=token)["items"], [])
        self.assertEqual(w.get("/v1/blueprints", token=token)["items"], [])
        host = w.get("/v1/hosts")["items"][0]["id"]
        for method, path, body in (("GET", f"/v1/hosts/{host}", None), ("POST", f"/v1/hosts/{host}/drain", {}),
                                   ("GET", "/v1/pools/default", None), ("GET", f"/v1/instances/{self.own}", None),
                                   ("DELETE", f"/v1/instances/{self.own}", None), ("GET", "/v1/images", None),
                                   ("POST", "/v1/images/pull", {"reference": "a:1"}),
                                   ("GET", "/v1/blueprints/web", None), ("DELETE", "/v1/blueprints/web", None)):
            self.problem(w.call(method, path, body, token=token), 404, "not_found")
        for method, path, body in (("POST", "/v1/instances", {"blueprint": "web"}),
                                   ("PUT", "/v1/blueprints/web", BODIES["putBlueprint"]),
                                   ("PUT", "/v1/blueprints/new", {**BODIES["putBlueprint"], "pool": "default"})):
            self.problem(w.call(method, path, body, token=token), 403, "forbidden")

    def test_a_token_is_revoked_at_once(self):
        w = self.world
        made = w.ok("POST", "/v1/tokens", {"name": "soon", "role": "user"}).json
        connection = w.connect()
        headers = {"Authorization": f"Bearer {made['token']}"}

        def status():
            connection.request("GET", "/v1/instances", headers=headers)
            response = connection.getresponse()
            response.read()
            return response.status

        self.assertEqual(status(), 200)
        w.ok("DELETE", f"/v1/tokens/{made['id']}")
        self.assertEqual(status(), 401)
        connection.close()

    def test_no_secret_is_shown_twice(self):
        text = self.world.call("GET", "/v1/tokens").body.decode()
        for token in (*self.tokens.values(), *self.bad.values()):
            self.assertNotIn(token.split("_")[-1], text)
        self.assertNotIn("digest", text)

    def test_the_unix_socket_takes_a_token_too(self):
        self.assertEqual(self.world.call("GET", "/v1/instances", token=None, unix=True).status, 401)
        self.assertEqual(self.world.call("GET", "/v1/instances", unix=True).status, 200)

    def test_broken_authorization_headers(self):
        for value in ("", "Bearer", "Bearer ", "Basic YTpi", "Bearer a b", self.world.admin, "bearer" + self.world.admin,
                      "Bearer " + "x" * 5000):
            answer = self.world.call("GET", "/v1/version", token=None, Authorization=value)
            self.assertEqual(answer.status, 401, value[:20])
        self.assertEqual(self.world.call("GET", "/v1/version", token=None,
                                         Authorization="bearer " + self.world.admin).status, 200)


class Denied(world.Case):
    def test_many_failures_are_slowed_down(self):
        statuses = [self.world.call("GET", "/v1/version", token="berth_no").status for _ in range(260)]
        self.assertEqual(statuses[0], 401)
        self.assertIn(429, statuses)
        self.assertEqual(self.world.call("GET", "/v1/version").status, 200)


if __name__ == "__main__":
    unittest.main(verbosity=2)
