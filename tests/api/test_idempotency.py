"""An Idempotency-Key gives the same answer again, and what it stands for happens once."""

import threading
import unittest

import world


class Idempotency(world.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.world.blueprint()

    def count(self, name):
        return len(list(self.world.pages(f"/v1/instances?name={name}", 100)))

    def test_the_same_again(self):
        body = {"blueprint": "web", "name": "once"}
        first = self.world.ok("POST", "/v1/instances", body, key="k-1")
        again = self.world.ok("POST", "/v1/instances", body, key="k-1")
        self.assertEqual((first.status, first.body, first.headers["location"]),
                         (again.status, again.body, again.headers["location"]))
        self.assertEqual(again.headers["idempotent-replayed"], "true")
        self.assertNotIn("idempotent-replayed", first.headers)
        self.assertEqual(self.count("once"), 1)

    def test_other_body_or_path(self):
        self.world.ok("POST", "/v1/instances", {"blueprint": "web", "name": "two"}, key="k-2")
        for method, path, body in (("POST", "/v1/instances", {"blueprint": "web", "name": "other"}),
                                   ("POST", "/v1/housekeeping", None)):
            self.problem(self.world.call(method, path, body, key="k-2"), 422, "idempotency_key_reused")
        self.assertEqual(self.count("other"), 0)

    def test_keys_belong_to_a_token(self):
        body = {"blueprint": "web", "name": "mine"}
        token = self.world.token("bob", "user")
        self.world.ok("POST", "/v1/instances", body, key="k-3")
        answer = self.world.ok("POST", "/v1/instances", body, key="k-3", token=token)
        self.assertNotIn("idempotent-replayed", answer.headers)
        self.assertEqual(answer.json["owner"], "bob")

    def test_a_failure_is_not_kept(self):
        body = {"blueprint": "later", "name": "late"}
        self.problem(self.world.call("POST", "/v1/instances", body, key="k-4"), 404, "not_found")
        self.world.blueprint("later")
        self.assertEqual(self.world.call("POST", "/v1/instances", body, key="k-4").status, 202)

    def test_bad_keys(self):
        for key in ("", "x" * 129, "a b", "a\tb", "ä".encode().decode("latin-1")):
            answer = self.world.call("POST", "/v1/instances", {"blueprint": "web"}, key=key)
            self.problem(answer, 400, "invalid_request")

    def test_it_survives_restarts(self):
        body = {"blueprint": "web", "name": "kept", "count": 3}
        first = self.world.ok("POST", "/v1/instances", body, key="k-5")
        for signum in (world.signal.SIGTERM, world.signal.SIGKILL):
            self.world.restart(signum)
            again = self.world.ok("POST", "/v1/instances", body, key="k-5")
            self.assertEqual(first.body, again.body)
        self.assertEqual(sum(self.count(f"kept-{i}") for i in (1, 2, 3)), 3)

    def test_many_at_once_make_one(self):
        body = {"blueprint": "web", "name": "race"}
        answers = []

        def ask():
            answers.append(self.world.call("POST", "/v1/instances", body, key="k-6"))

        threads = [threading.Thread(target=ask) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual({a.status for a in answers} - {202, 409}, set())
        self.assertEqual(len({a.body for a in answers if a.status == 202}), 1)
        self.assertEqual(self.count("race"), 1)

    def test_a_token_s_secret_is_not_kept(self):
        body = {"name": "quiet", "role": "user"}
        first = self.world.ok("POST", "/v1/tokens", body, key="k-7").json
        again = self.world.ok("POST", "/v1/tokens", body, key="k-7").json
        self.assertTrue(first["token"].startswith("berth_"))
        self.assertEqual(again, {**first, "token": None})

    def test_exec_runs_once(self):
        row = self.world.run()
        before = len(self.world.engines[0].execs)
        path = f"/v1/instances/{row['id']}/exec"
        first = self.world.ok("POST", path, {"command": ["date"]}, key="k-8")
        again = self.world.ok("POST", path, {"command": ["date"]}, key="k-8")
        self.assertEqual(first.body, again.body)
        self.assertEqual(len(self.world.engines[0].execs), before + 1)

    def test_images_too(self):
        first = self.world.ok("POST", "/v1/images", b"one", key="k-9", Content_Type="application/x-tar")
        again = self.world.ok("POST", "/v1/images", b"one", key="k-9", Content_Type="application/x-tar")
        self.assertEqual(first.json["id"], again.json["id"])
        other = self.world.call("POST", "/v1/images", b"two", key="k-9", Content_Type="application/x-tar")
        self.problem(other, 422, "idempotency_key_reused")


if __name__ == "__main__":
    unittest.main(verbosity=2)
