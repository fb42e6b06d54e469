"""Lost answers, slow and strange daemons: what is repeated, what is not, and what is said."""

import json
import unittest

from . import cases, fake


class LostAnswerTest(cases.CliTest):
    def test_a_run_whose_answer_is_lost_happens_once(self):
        self.fake.add_blueprint("demo")
        self.fake.fault(fake.CUT, "POST", "/v1/instances")
        ids = self.berth("run", "demo", "--count", "2").out.split()
        self.assertEqual(ids, [r["id"] for r in self.fake.rows["instances"]])
        first, second = self.fake.asked("POST")
        self.assertEqual(first["headers"]["idempotency-key"], second["headers"]["idempotency-key"])
        self.assertGreaterEqual(len(first["headers"]["idempotency-key"]), 32)

    def test_two_runs_have_two_keys(self):
        self.fake.add_blueprint("demo")
        self.berth("run", "demo")
        self.berth("run", "demo")
        self.assertEqual(len({r["headers"]["idempotency-key"] for r in self.fake.asked("POST")}), 2)

    def test_it_is_repeated_once_only_and_then_said(self):
        self.fake.add_blueprint("demo")
        self.fake.fault(fake.CUT, "POST", "/v1/instances", times=5)
        self.assert_mentions(self.berth("run", "demo", code=6).err, "may have happened")
        self.assertEqual(len(self.fake.asked("POST")), 2)

    def test_the_first_try_may_still_be_under_way(self):
        self.fake.add_blueprint("demo")
        self.fake.fault(fake.CUT, "POST", "/v1/instances")
        self.fake.fault(fake.STATUS, "POST", "/v1/instances", times=2, status=409, media="application/problem+json",
                        body=json.dumps({"code": "conflict", "title": "Conflict", "status": 409,
                                         "detail": "a request with this Idempotency-Key is under way"}).encode())
        self.berth("run", "demo")
        self.assertEqual(len(self.fake.rows["instances"]), 1)
        self.assertEqual(len(self.fake.asked("POST")), 4)

    def test_a_conflict_without_a_loss_is_not_repeated(self):
        self.fake.add_host("rack1")
        self.berth("host", "activate", "rack1", code=5)
        self.assertEqual(len(self.fake.asked("POST")), 1)

    def test_reads_deletes_and_puts_are_repeated(self):
        row = self.fake.add_instance()
        self.fake.fault(fake.CUT, "GET", "/v1/instances")
        self.assertEqual(self.berth("ps", "-q").out.split(), [row["id"]])
        self.fake.fault(fake.CUT, "DELETE", "/v1/instances/" + row["id"])
        self.berth("stop", row["id"])
        self.assertEqual(len(self.fake.asked("DELETE")), 2)

    def test_an_exec_is_never_repeated(self):
        row = self.fake.add_instance()
        path = f"/v1/instances/{row['id']}/exec"
        self.fake.fault(fake.CUT, "POST", path)
        self.berth("exec", row["id"], "true", code=6)
        self.assertEqual(len(self.fake.asked("POST", path)), 1)
        self.assertNotIn("idempotency-key", self.fake.asked("POST", path)[0]["headers"])


class SlowTest(cases.CliTest):
    def test_a_daemon_that_says_nothing_is_left_in_time(self):
        self.fake.fault(fake.HANG, "GET", "/v1/instances", times=9)
        self.assert_mentions(self.berth("ps", "--timeout", "1s", code=6).err, "no answer", "--timeout")
        self.assertEqual(len(self.fake.asked("GET")), 1)

    def test_too_many_requests_are_repeated_when_it_is_worth_it(self):
        self.fake.fault(fake.STATUS, "GET", "/v1/instances", status=429, headers={"Retry-After": "1"})
        self.berth("ps")
        self.fake.fault(fake.STATUS, "GET", "/v1/instances", status=429, headers={"Retry-After": "600"})
        self.berth("ps", code=1)


class StrangeTest(cases.CliTest):
    def test_a_problem_is_told_with_each_field(self):
        self.fake.add_blueprint("demo")
        self.fake.fault(fake.STATUS, "POST", "/v1/instances", status=400, media="application/problem+json",
                        body=json.dumps({"title": "The request is not valid", "code": "invalid_request", "status": 400,
                                         "detail": "two fields are wrong",
                                         "errors": [{"pointer": "/count", "code": "range", "detail": "must be 1 to 1000"},
                                                    {"pointer": "", "code": "x", "detail": "bad\u001b[31m"}]}).encode())
        err = self.berth("run", "demo", code=2).err
        self.assert_mentions(err, "The request is not valid: two fields are wrong", "/count: must be 1 to 1000",
                             "the request: bad")
        self.assertNotIn("\x1b", err)
        self.assertNotIn("req-42", err)

    def test_one_field_is_told_once(self):
        self.fake.add_blueprint("demo")
        self.fake.fault(fake.STATUS, "POST", "/v1/instances", status=400, media="application/problem+json",
                        body=json.dumps({"title": "The request is not valid", "code": "invalid_request", "status": 400,
                                         "detail": "/count: must be 1 to 1000",
                                         "errors": [{"pointer": "/count", "code": "range", "detail": "must be 1 to 1000"}]
                                         }).encode())
        err = self.berth("run", "demo", code=2).err
        self.assertEqual(err.count("/count: must be 1 to 1000"), 1, err)

    def test_the_request_id_stands_there_with_debug(self):
        self.assert_mentions(self.berth("show", "i-0000000000001", "--debug", code=3).err, "request id req-42")

    def test_what_to_do_stands_below(self):
        self.env["BERTH_TOKEN"] = "wrong"
        self.assert_mentions(self.berth("ps", code=4).err, "BERTH_TOKEN_FILE")

    def test_answers_that_are_no_berthds(self):
        page = b"<html>hello</html>"
        for status, code in ((200, 1), (404, 3), (502, 6), (503, 6), (500, 1)):
            self.fake.fault(fake.STATUS, "GET", "/v1/instances", status=status, body=page)
            self.assertNotIn("html>", self.berth("ps", code=code).err)

    def test_broken_json_is_said(self):
        for body in (b'{"items": [', b'{"items": "x"}', b"[]", b"null", b'{"items": [1, null, "x"], "next": 5}'):
            self.fake.fault(fake.STATUS, "GET", "/v1/instances", status=200, body=body, media="application/json")
            self.berth("ps", code=1 if body in (b'{"items": [', b"null") else 0)

    def test_a_redirect_is_not_followed_with_the_token(self):
        other = fake.Fake()
        self.addCleanup(other.close)
        self.fake.fault(fake.STATUS, "GET", "/v1/instances", status=302, headers={"Location": other.url + "/v1/instances"})
        self.berth("ps", code=1)
        self.assertEqual(other.seen, [])

    def test_a_proxy_of_the_environment_does_not_see_plain_requests(self):
        other = fake.Fake()
        self.addCleanup(other.close)
        self.env["http_proxy"] = self.env["ALL_PROXY"] = other.url
        self.berth("ps")
        self.assertEqual(other.seen, [])

    def test_names_are_escaped_in_paths(self):
        self.berth("blueprint", "show", "../tokens?x=1", code=3)
        self.assertEqual(self.fake.seen[-1]["path"], "/v1/blueprints/..%2Ftokens%3Fx%3D1")


if __name__ == "__main__":
    unittest.main()
