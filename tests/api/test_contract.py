"""The document tells what there is: linted, complete, and the same as what answers."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import unittest

import world


def linter():
    """The linter that ./dev test installs into build/, or one on the PATH; None when there is none."""
    source = pathlib.Path(os.environ.get("BERTH_SOURCE", pathlib.Path(__file__).parents[2]))
    place = source / "build/lint/node_modules/.bin/spectral"
    return str(place) if place.exists() else shutil.which("spectral")


class Contract(world.Case):
    def test_linter_has_nothing_to_say(self):
        program = linter()
        if not program:
            self.skipTest("no OpenAPI linter: ./dev test installs one")
        path = f"{self.world.dir}/openapi.json"
        pathlib.Path(path).write_bytes(self.world.call("GET", "/openapi.json").body)
        rules = f"{self.world.dir}/rules.json"
        pathlib.Path(rules).write_text(json.dumps({"extends": ["spectral:oas"]}))
        result = subprocess.run([program, "lint", "--fail-severity=warn", "-r", rules, path], capture_output=True,
                                text=True, cwd=self.world.dir, check=False)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_metrics_pass_promtool(self):
        self.world.blueprint()
        self.world.run()
        self.world.call("GET", "/v1/nothing")
        text = self.world.call("GET", "/metrics", token=None).body
        for name in (b"berth_hosts{", b"berth_instances{", b"berth_queue_length{", b"berth_commit_duration_seconds_bucket",
                     b"berth_launch_step_duration_seconds_bucket", b"berth_api_requests_total{", b"berth_loop_lag_seconds",
                     b"berth_faults_total", b"berth_build_info", b"berth_pool_headroom_memory_bytes{",
                     b"berth_pool_wanted_slots{", b"berth_pool_launches_last_hour{", b"berth_pool_money_spent{",
                     b"berth_pool_host_score_max{", b"berth_pool_hosts_over_threshold{", b"berth_hosts_on_trial{",
                     b'berth_pool_plan_actions{pool="default",kind="spawn"} 0', b"berth_pool_actions_total{",
                     b'berth_pool_held{pool="default",hold="budget"} 0', b"berth_canaries_total{", b"berth_blueprints_held 0",
                     b"berth_housekeeping_round_duration_seconds_count{}", b'berth_pool_money_budget{pool="default"} +Inf',
                     b'berth_pool_launches_limit{pool="default"} 20'):
            self.assertIn(name, text)
        for line in text.splitlines():
            self.assertTrue(line.startswith((b"berth_", b"# HELP berth_", b"# TYPE berth_")), line)
        if not shutil.which("promtool"):
            self.skipTest("promtool is not installed")
        result = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, b"", b""))

    def test_example_alerts_are_rules_about_what_there_is(self):
        path = pathlib.Path(os.environ.get("BERTH_SOURCE", pathlib.Path(__file__).parents[2])) / "config/alerts.example.yaml"
        told = self.world.call("GET", "/metrics", token=None).body.decode()
        kinds = self.world.call("GET", "/openapi.json").json["components"]["schemas"]["PoolHold"]
        for name in set(re.findall(r"berth_[a-z_]+", path.read_text())):
            self.assertIn(f"# TYPE {name} ", told)
        for hold in re.findall(r'hold="(\w+)"', path.read_text()):
            self.assertIn(hold, kinds["properties"]["hold"]["enum"])
        if not shutil.which("promtool"):
            self.skipTest("promtool is not installed")
        result = subprocess.run(["promtool", "check", "rules", path], capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_methods(self):
        document = self.world.document
        for path, item in document["paths"].items():
            real = path.replace("{id}", "i-0000000000001").replace("{name}", "none")
            expected = {"OPTIONS"} | {m.upper() for m in item if m != "parameters"}
            if "GET" in expected:
                expected.add("HEAD")
            answer = self.world.call("OPTIONS", real, token=None)
            self.assertEqual(answer.status, 204)
            self.assertEqual(set(answer.headers["allow"].split(", ")), expected, path)
            for method in {"GET", "POST", "PUT", "DELETE", "PATCH", "TRACE", "BREW"} - expected:
                answer = self.world.call(method, real)
                self.assertEqual(answer.status, 405, f"{method} {path}")
                self.assertEqual(set(answer.headers["allow"].split(", ")), expected)

    def test_head_is_get_without_a_body(self):
        for path in ("/healthz", "/v1/instances", "/v1/blueprints/none", "/openapi.json"):
            got = self.world.call("GET", path)
            head = self.world.call("HEAD", path)
            self.assertEqual((head.status, head.body), (got.status, b""))
            self.assertEqual(head.headers["content-type"], got.headers["content-type"])

    def test_unknown_paths(self):
        for path in ("/", "/v1", "/v1/", "/v2/instances", "/v1/instances/", "/v1/instances/x/y/z", "//v1/instances",
                     "/v1/instances/i-0000000000001/nothing", "/v1/routes", "/a/b/c/d/e/f/g/h"):
            self.problem(self.world.call("GET", path), 404, "not_found")

    def test_headers_of_every_answer(self):
        for answer in (self.world.call("GET", "/healthz"), self.world.call("GET", "/v1/nothing"),
                       self.world.call("GET", "/v1/hosts")):
            self.assertEqual(answer.headers["cache-control"], "no-store")
            self.assertEqual(answer.headers["x-content-type-options"], "nosniff")
            self.assertTrue(answer.headers["x-request-id"])

    def test_request_id(self):
        self.assertEqual(self.world.call("GET", "/healthz", X_Request_Id="abc-1").headers["x-request-id"], "abc-1")
        for bad in ("a b", "x" * 65, "ä".encode().decode("latin-1"), "a;b"):
            made = self.world.call("GET", "/healthz", X_Request_Id=bad).headers["x-request-id"]
            self.assertNotEqual(made, bad)
        ids = {self.world.call("GET", "/healthz").headers["x-request-id"] for _ in range(20)}
        self.assertEqual(len(ids), 20)

    def test_every_resource_as_the_document_tells(self):
        """Each call of the happy way; world.call() holds the answers against the document."""
        w = self.world
        w.blueprint("tour", ports=[{"container": 80}], lifetime_s=600)
        row = w.run("tour")
        one = f"/v1/instances/{row['id']}"
        self.assertEqual(row["ports"][0]["container"], 80)
        self.assertEqual(w.ok("POST", f"{one}/extend", {"lifetime_s": 60}).status, 200)
        self.assertEqual(w.ok("GET", f"{one}/logs").body, b"one\ntwo\nthree\n")
        self.assertEqual(w.ok("GET", f"{one}/stats").json["pids"], 1)
        self.assertEqual(w.ok("GET", f"{one}/explain").json["instance"], row["id"])
        self.assertEqual(w.ok("POST", f"{one}/exec", {"command": ["id"]}).json["exit_code"], 0)
        for path in ("version", "doctor", "events", "operations", "images", "pools", "pools/default", "pools/default/plan", "status", "hosts", "tokens",
                     "blueprints", "blueprints/tour", "instances"):
            self.assertEqual(w.ok("GET", f"/v1/{path}").status, 200)
        host = w.get("/v1/hosts")["items"][0]["id"]
        self.assertEqual(w.get(f"/v1/hosts/{host}")["id"], host)
        self.assertEqual(w.get("/v1/hosts/h0")["id"], host)
        self.assertEqual(w.get(f"/v1/hosts/{host}/log"), {"items": [], "next": None, "preparing": False})
        operation = w.ok("POST", "/v1/housekeeping").json["id"]
        world.wait_for(lambda: w.get(f"/v1/operations/{operation}")["state"] == "done", "housekeeping is done")
        self.assertEqual(w.get(f"/v1/operations/{operation}")["text"], "nothing was to be done")
        self.assertEqual(w.ok("POST", "/v1/backups").body[:15], b"SQLite format 3")
        self.assertEqual(w.ok("POST", "/v1/images/pull", {"reference": "other:1"}).status, 202)
        policy = w.get("/v1/pools/default")["policy"]
        self.assertEqual(w.ok("PUT", "/v1/pools/default", policy).status, 200)
        self.assertEqual(w.ok("PUT", "/v1/pools/second", {}).status, 201)
        self.assertEqual(w.ok("DELETE", one).status, 202)
        w.await_state(row["id"], "stopped")
        self.assertIn(b"three", w.ok("GET", f"{one}/logs").body)
        self.assertEqual(w.ok("GET", f"{one}/logs?tail=1").body, b"three\n")

    def test_host_life_cycle(self):
        w = self.world
        engine = w.engines[0].path
        made = w.ok("POST", "/v1/hosts", {"pool": "default", "name": "extra", "engine": f"unix://{engine}",
                                          "labels": {"a": "b"}})
        self.assertEqual(made.status, 201)
        host = made.headers["location"]
        tag = w.ok("GET", host).headers["etag"]
        policy = w.get("/v1/pools/default")["policy"]
        self.assertEqual(w.ok("PUT", "/v1/pools/default", policy | {"labels": {"a": "c", "zone": "z"}}).status, 200)
        seen = w.ok("GET", host)
        self.assertEqual(seen.json["labels"], {"a": "b", "zone": "z"})
        self.assertNotEqual(seen.headers["etag"], tag)
        self.assertEqual(w.ok("PUT", "/v1/pools/default", policy).status, 200)
        self.assertEqual(w.get(host)["labels"], {"a": "b"})
        change = w.ok("POST", f"{host}/drain", {"deadline_s": 1})
        self.assertEqual(change.status, 202)
        self.assertEqual(w.ok("POST", f"{host}/remove", {"force": True}).status, 202)
        world.wait_for(lambda: w.get(host)["state"] == "removed", "it is removed")
        self.problem(w.call("POST", f"{host}/activate"), 409, "conflict")

    def test_images_come_in_whole(self):
        archive = os.urandom(3 << 20)
        operation = self.world.ok("POST", "/v1/images?pool=default", archive, Content_Type="application/x-tar").json
        world.wait_for(lambda: self.world.get(f"/v1/operations/{operation['id']}")["state"] == "done", "it is loaded")
        self.assertIn(archive, self.world.engines[0].loaded)
        self.assertTrue(self.world.get("/v1/images")["kept"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
