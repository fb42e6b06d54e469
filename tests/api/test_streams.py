"""Streams: events that resume, logs that follow, output of commands, samples; and clients that leave."""

import json
import threading
import unittest

import world


class EventReader:
    """Server-sent events, as they come."""

    def __init__(self, w, path="/v1/events", token="", last=None):
        self.connection = w.connect(timeout=20)
        headers = {"Authorization": f"Bearer {token or w.admin}", "Accept": "text/event-stream"}
        if last is not None:
            headers["Last-Event-ID"] = str(last)
        self.connection.request("GET", path, headers=headers)
        self.response = self.connection.getresponse()

    def __iter__(self):
        event = {}
        for line in self.response:
            text = line.decode().rstrip("\n")
            if text == "":
                if "data" in event:
                    yield event
                event = {}
            elif not text.startswith(":"):
                name, _, value = text.partition(": ")
                event[name] = value

    def until(self, condition):
        """All events up to and with the first that fits."""
        seen = []
        for event in self:
            seen.append(event)
            if condition(json.loads(event["data"])):
                return seen
        raise AssertionError("the stream has ended")

    def close(self):
        self.connection.close()


def streams(w):
    for line in w.call("GET", "/metrics", token=None).body.splitlines():
        if line.startswith(b"berth_api_streams "):
            return int(line.split()[1])
    return None


class Events(world.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.world.blueprint()

    def test_a_stream_tells_a_life(self):
        w = self.world
        reader = EventReader(w)
        row = w.run()
        seen = reader.until(lambda e: e["instance"] == row["id"] and e["kind"] == "instance.running")
        for event in seen:
            data = json.loads(event["data"])
            self.assertEqual((str(data["seq"]), data["kind"]), (event["id"], event["event"]))
            self.assertEqual(w.validator.check(data, {"$ref": "#/components/schemas/Event"}), [])
        reader.close()

    def test_it_resumes_without_a_gap_or_a_double(self):
        w = self.world
        begin = w.get("/v1/events?order=newest&limit=1")["items"][0]["seq"]
        seen, last, ids = [], begin, []
        for _ in range(6):
            ids.append(w.run()["id"])
            reader = EventReader(w, last=last)
            want = ids[-1]
            got = reader.until(lambda e: e["instance"] == want and e["kind"] == "instance.running")
            reader.close()
            # leave in the middle of what was read
            cut = got[:max(1, len(got) // 2)]
            seen += [int(e["id"]) for e in cut]
            last = seen[-1]
        rest = EventReader(w, last=last)
        end = w.get("/v1/events?order=newest&limit=1")["items"][0]["seq"]
        seen += [int(e["id"]) for e in rest.until(lambda e: e["seq"] >= end)]
        rest.close()
        self.assertEqual(seen, list(range(begin + 1, seen[-1] + 1)))
        pages = [e["seq"] for e in w.pages(f"/v1/events?after={begin}", 3)]
        self.assertEqual(pages[:len(seen)], seen)

    def test_it_resumes_after_a_restart(self):
        w = self.world
        row = w.run()
        reader = EventReader(w, path="/v1/events?after=0")
        last = reader.until(lambda e: e["instance"] == row["id"] and e["kind"] == "instance.running")[-1]["id"]
        w.restart(world.signal.SIGKILL)
        reader.close()
        again = EventReader(w, last=last)
        w.ok("DELETE", f"/v1/instances/{row['id']}")
        seen = again.until(lambda e: e["instance"] == row["id"] and e["kind"] == "instance.stopped")
        again.close()
        ids = [int(e["id"]) for e in seen]
        self.assertEqual(ids, list(range(int(last) + 1, ids[-1] + 1)))

    def test_filters(self):
        w = self.world
        row, other = w.run(), w.run()
        reader = EventReader(w, path=f"/v1/events?after=0&instance={row['id']}&kind=instance.")
        seen = reader.until(lambda e: e["kind"] == "instance.running")
        reader.close()
        self.assertEqual({json.loads(e["data"])["instance"] for e in seen}, {row["id"]})
        # A row is seen a moment before its event is durable.
        page = world.wait_for(lambda: w.get(f"/v1/events?kind=instance.running&instance={other['id']}")["items"],
                              "the event is there")
        self.assertEqual([e["kind"] for e in page], ["instance.running"])
        self.assertTrue(all(e["host"] for e in w.get("/v1/events?host=h0&kind=host.")["items"]))

    def test_users_get_their_own_only(self):
        w = self.world
        token = w.token("ines", "user")
        reader = EventReader(w, path="/v1/events?after=0", token=token)
        w.run()
        mine = w.run(token=token)
        seen = reader.until(lambda e: e["instance"] == mine["id"] and e["kind"] == "instance.running")
        reader.close()
        self.assertEqual({json.loads(e["data"])["owner"] for e in seen}, {"ines"})

    def test_bad_last_event_id(self):
        for last in ("x", "-1", "1.5", "9" * 30):
            answer = self.world.call("GET", "/v1/events", Accept="text/event-stream", Last_Event_ID=last)
            self.problem(answer, 400, "invalid_request")

    def test_streams_are_bounded_and_given_back(self):
        w = self.world
        world.wait_for(lambda: streams(w) == 0, "streams of the other tests are closed")
        readers = [EventReader(w) for _ in range(256)]
        self.assertEqual({r.response.status for r in readers}, {200})
        one_more = EventReader(w)
        self.assertEqual(one_more.response.status, 429)
        self.assertEqual(json.loads(one_more.response.read())["code"], "rate_limited")
        for reader in (*readers, one_more):
            reader.close()
        world.wait_for(lambda: streams(w) == 0, "streams whose client left are closed")

    def test_a_stop_ends_streams_in_order(self):
        reader = EventReader(self.world)
        self.assertEqual(self.world.restart(), 0)
        for _ in reader:
            pass  # a clean end of the chunked body, or this raises
        reader.close()


class Containers(world.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.world.blueprint()

    def setUp(self):
        self.row = self.world.run()
        self.path = f"/v1/instances/{self.row['id']}"
        self.container = self.world.engines[0].containers[self.row["container_id"]]

    def open(self, path, method="GET", body=None, accept=None):
        connection = self.world.connect(timeout=20)
        headers = {"Authorization": f"Bearer {self.world.admin}", "Content-Type": "application/json"}
        if accept:
            headers["Accept"] = accept
        connection.request(method, path, body=json.dumps(body) if body else None, headers=headers)
        return connection, connection.getresponse()

    def test_logs(self):
        w = self.world
        self.assertEqual(w.ok("GET", f"{self.path}/logs").body, b"one\ntwo\nthree\n")
        self.assertEqual(w.ok("GET", f"{self.path}/logs?tail=1").body, b"three\n")
        self.assertEqual(w.ok("GET", f"{self.path}/logs?tail=0").body, b"")
        self.assertEqual(w.ok("GET", f"{self.path}/logs").headers["content-type"], "text/plain; charset=utf-8")

    def test_logs_follow_until_the_end(self):
        connection, response = self.open(f"{self.path}/logs?follow=true&tail=1")
        self.assertEqual(response.readline(), b"three\n")
        self.container["log"].append((1, b"four\n"))
        self.assertEqual(response.readline(), b"four\n")
        self.world.ok("DELETE", self.path)
        self.assertEqual(response.read(), b"")
        connection.close()

    def test_large_logs_wait_for_a_slow_reader(self):
        self.container["log"] += [(1, b"x" * 65535 + b"\n")] * 400
        connection, response = self.open(f"{self.path}/logs")
        self.assertEqual(self.world.call("GET", "/healthz").status, 200)
        self.assertEqual(len(response.read()), 14 + 400 * 65536)
        connection.close()

    def test_logs_follow_waits_for_the_container(self):
        w = self.world
        policy = w.get("/v1/pools/default")["policy"]
        taken = w.get("/v1/hosts")["items"][0]["instances"]
        self.addCleanup(w.ok, "PUT", "/v1/pools/default", policy)
        w.ok("PUT", "/v1/pools/default", policy | {"slots_per_host": taken})
        waits = [w.ok("POST", "/v1/instances", {"blueprint": "web"}).json["id"] for _ in range(2)]
        refused = w.call("GET", f"/v1/instances/{waits[0]}/logs")
        self.assertEqual((refused.status, refused.json["code"]), (409, "conflict"))
        self.assertIn("follow", refused.json["detail"])
        first, runs = self.open(f"/v1/instances/{waits[0]}/logs?follow=true&tail=1")
        second, never = self.open(f"/v1/instances/{waits[1]}/logs?follow=true")
        third, leaves = self.open(f"/v1/instances/{waits[1]}/logs?follow=true")
        self.assertEqual((runs.status, never.status, leaves.status), (200, 200, 200))
        third.close()
        w.ok("DELETE", f"/v1/instances/{waits[1]}")
        self.assertEqual(never.read(), b"")
        w.ok("PUT", "/v1/pools/default", policy)
        self.assertEqual(runs.readline(), b"three\n")
        w.ok("DELETE", f"/v1/instances/{waits[0]}")
        self.assertEqual(runs.read(), b"")
        first.close()
        second.close()

    def test_logs_of_none(self):
        queued = self.world.blueprint("huge", memory_bytes=1 << 40)
        made = self.world.call("POST", "/v1/instances", {"blueprint": queued["name"]})
        if made.status == 202:
            self.assertIn(self.world.call("GET", f"/v1/instances/{made.json['id']}/logs").status, (200, 409))

    def test_exec(self):
        w = self.world
        answer = w.ok("POST", f"{self.path}/exec", {"command": ["echo", "a"]}).json
        self.assertEqual(answer, {"exit_code": 0, "stdout": "echo a é\n", "stderr": "bad \ufffd byte\n", "truncated": False})
        self.assertEqual(w.ok("POST", f"{self.path}/exec", {"command": ["fail"]}).json["exit_code"], 3)
        self.assertEqual(w.call("POST", f"{self.path}/exec", {"command": []}).status, 400)
        self.assertEqual(w.call("POST", f"{self.path}/exec", {"command": [""]}).status, 400)

    def test_exec_output_is_bounded(self):
        answer = self.world.ok("POST", f"{self.path}/exec", {"command": ["flood"]}).json
        self.assertTrue(answer["truncated"])
        self.assertEqual(len(answer["stdout"]), 1 << 20)

    def test_exec_streams(self):
        connection, response = self.open(f"{self.path}/exec", "POST", {"command": ["fail"]}, "application/x-ndjson")
        self.assertEqual(response.getheader("content-type"), "application/x-ndjson")
        lines = [json.loads(line) for line in response]
        connection.close()
        self.assertEqual(lines[-1], {"exit_code": 3})
        out = "".join(line["data"] for line in lines[:-1] if line["stream"] == "stdout")
        self.assertEqual(out, "fail é\n")

    def test_stats(self):
        sample = self.world.ok("GET", f"{self.path}/stats").json
        self.assertEqual((sample["memory_bytes"], sample["cpu_ns"], sample["pids"]), (4096000, 12345678, 1))
        connection, response = self.open(f"{self.path}/stats?stream=true")
        for _ in range(2):
            self.assertEqual(json.loads(response.readline())["pids"], 1)
        self.world.ok("DELETE", self.path)
        self.assertIsInstance(response.read(), bytes)
        connection.close()

    def test_clients_that_leave(self):
        before = streams(self.world)
        for path, method, body in ((f"{self.path}/logs?follow=true", "GET", None), (f"{self.path}/stats?stream=true", "GET", None)):
            for _ in range(10):
                connection, response = self.open(path, method, body)
                self.assertEqual(response.status, 200)
                connection.close()
        world.wait_for(lambda: streams(self.world) <= before, "their streams are closed")

    def test_many_at_once(self):
        results = []

        def ask(i):
            tail = ("logs", "stats", "explain", "")[i % 4]
            results.append(self.world.call("GET", f"{self.path}/{tail}".rstrip("/")).status)

        threads = [threading.Thread(target=ask, args=(i,)) for i in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(set(results), {200})

    def test_dead_engine_says_so(self):
        engine = self.world.engines[0]
        engine.close()
        try:
            answer = self.world.call("GET", f"{self.path}/stats")
            self.assertIn(answer.status, (409, 502, 503, 504), answer)
        finally:
            self.world.engines[0] = type(engine)(engine.path)
            self.world.engines[0].containers = engine.containers


if __name__ == "__main__":
    unittest.main(verbosity=2)
