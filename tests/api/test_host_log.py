"""What preparations did, step by step: pages, filters, streams that end with the preparation."""

import json
import sqlite3
import threading
import unittest

import fake_engine
import test_streams
import world

STEPS = [  # run, step, steps, name, took_ms, ended, reason, cut_bytes, output
    (1, 1, 3, "wait for the boot", 1500, "ok", None, 0, b""),
    (1, 2, 3, "packages", 61000, "failed", "exit code 100", 70000, b"E: no \xff such package \xe2\x82\n"),
    (2, 0, 0, "connection", 15000, "failed", "no route to host", 0, b""),
    (3, 2, 3, "packages", 30000, "changed", None, 0, b"done\n"),
    (3, 3, 3, "docker", 10, "skipped", None, 0, b""),
]


class HostLog(world.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        w = cls.world
        w.stop()
        with sqlite3.connect(f"{w.dir}/data/berth.db") as db:
            host = db.execute("SELECT id FROM hosts WHERE name = 'h0'").fetchone()[0]
            for at, (run, step, steps, name, took, ended, reason, cut, output) in enumerate(STEPS):
                db.execute("INSERT INTO host_steps (host_id, run, step, steps, name, started_at_ms, took_ms, ended, reason, "
                           "cut_bytes, bytes, output) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                           (host, run, step, steps, name, 1700000000000 + at, took, ended, reason, cut, len(output), output))
        db.close()
        w.start()

    def places(self, query=""):
        return [(s["run"], s["step"]) for s in self.world.get("/v1/hosts/h0/log" + query)["items"]]

    def test_all_of_a_step(self):
        page = self.world.get("/v1/hosts/h0/log")
        self.assertEqual((page["next"], page["preparing"], len(page["items"])), (None, False, 5))
        host = self.world.get("/v1/hosts/h0")["id"]
        self.assertEqual(page["items"][1], {
            "host": host, "run": 1, "step": 2, "steps": 3, "name": "packages", "state": "failed",
            "started_at": "2023-11-14T22:13:20.001Z", "took_s": 61, "reason": "exit code 100", "cut_bytes": 70000,
            "output": "E: no \ufffd such package \ufffd\ufffd\n"})

    def test_pages_and_filters(self):
        all_places = [s[:2] for s in STEPS]
        self.assertEqual(self.places(), all_places)
        self.assertEqual([(s["run"], s["step"]) for s in self.world.pages("/v1/hosts/h0/log", 2)], all_places)
        self.assertEqual([(s["run"], s["step"]) for s in self.world.pages("/v1/hosts/h0/log", 5)], all_places)
        self.assertEqual(self.places("?run=3"), [(3, 2), (3, 3)])
        self.assertEqual(self.places("?run=9"), [])
        self.assertEqual(self.places("?failed=true"), [(1, 2), (2, 0)])
        self.assertEqual(self.places("?failed=true&run=2"), [(2, 0)])

    def test_what_is_refused(self):
        w = self.world
        self.problem(w.call("GET", "/v1/hosts/h9/log"), 404, "not_found")
        self.problem(w.call("GET", "/v1/hosts/h0/log?run=x"), 400, "invalid_request")
        self.problem(w.call("GET", "/v1/hosts/h0/log?cursor=AAAA"), 400, "invalid_request")
        self.problem(w.call("GET", "/v1/hosts/h0/log?follow=true&limit=5"), 400, "invalid_request")
        self.problem(w.call("GET", "/v1/hosts/h0/log?follow=true", last_event_id="x"), 400, "invalid_request")
        self.problem(w.call("GET", "/v1/hosts/h0/log", token=w.token("log-user", "user")), 403, "forbidden")
        self.problem(w.call("GET", "/v1/hosts/h0/log", token=w.token("log-other", "operator", pools=["other"])), 404,
                     "not_found")

    def follow(self, path, last=None):
        reader = test_streams.EventReader(self.world, path, last=last)
        self.addCleanup(reader.close)
        self.assertEqual(reader.response.getheader("Content-Type"), "text/event-stream")
        return reader

    def test_a_stream_of_what_has_ended_ends(self):
        reader = self.follow("/v1/hosts/h0/log?follow=true")
        events = list(reader)
        self.assertEqual([e["event"] for e in events], ["step"] * 5 + ["end"])
        steps = [json.loads(e["data"]) for e in events[:5]]
        self.assertEqual(steps, self.world.get("/v1/hosts/h0/log")["items"])
        self.assertEqual(json.loads(events[5]["data"])["prepared"], True)
        again = list(self.follow("/v1/hosts/h0/log?follow=true", last=events[2]["id"]))
        self.assertEqual([json.loads(e["data"])["run"] for e in again[:-1]], [3, 3])

    def test_a_stream_waits_for_the_end(self):
        w = self.world
        path = f"{w.dir}/late.sock"
        w.ok("POST", "/v1/hosts", {"name": "late", "pool": "default", "engine": f"unix://{path}"})
        self.assertTrue(w.get("/v1/hosts/late/log")["preparing"])
        reader = self.follow("/v1/hosts/late/log?follow=true")
        events = []
        thread = threading.Thread(target=lambda: events.extend(reader))
        thread.start()
        world.wait_for(lambda: test_streams.streams(w) == 1, "the stream is open")
        w.engines.append(fake_engine.Engine(path))
        thread.join(timeout=world.DEADLINE_S)
        self.assertFalse(thread.is_alive())
        self.assertEqual([e["event"] for e in events], ["end"])
        end = json.loads(events[0]["data"])
        self.assertEqual((end["prepared"], end["state"]), (True, "active"))

    def test_a_stream_tells_that_it_was_given_up(self):
        w = self.world
        w.ok("POST", "/v1/hosts", {"name": "never", "pool": "default", "engine": f"unix://{w.dir}/never.sock"})
        reader = self.follow("/v1/hosts/never/log?follow=true")
        w.ok("POST", "/v1/hosts/never/remove", {"force": True})
        end = json.loads(list(reader)[-1]["data"])
        self.assertFalse(end["prepared"])
        self.assertIn(end["state"], ("inactive", "removed"))


if __name__ == "__main__":
    unittest.main()
