"""Bad input gets the right 4xx, and the daemon lives: JSON, names, sizes, depth, Unicode, types, fields, HTTP."""

import json
import socket
import time
import unittest

import world

WEB = {"image": "sample:1", "memory_bytes": 16 << 20}

# Documents that are no JSON, or not the JSON that is wanted.
DOCUMENTS = [
    b"", b" ", b"null", b"true", b"1", b'"x"', b"[]", b"{", b"}", b"{}x", b"{} {}", b"{'a':1}", b'{"a":}', b'{"a" 1}',
    b'{"blueprint":"web",}', b'{"blueprint":"web","blueprint":"web"}', b'\xef\xbb\xbf{"blueprint":"web"}',
    b'{"blueprint":"\xff\xfe"}', b'{"blueprint":"\xc0\xaf"}', b'{"blueprint":"\xed\xa0\x80"}', b'{"blueprint":"\\ud800"}',
    b'{"blueprint":"a\\u0000b"}', b'{"blueprint":"we\x00b"}', b"\x00", b"\xff" * 100, b"[" * 100000, b'{"a":' * 5000,
    b'{"blueprint":NaN}', b'{"blueprint":"web","count":1e999}', b'{"blueprint":"web","count":99999999999999999999}',
    b'{"blueprint":"web","count":01}', b'{"blueprint":"web"/*c*/}', b'{"blueprint":"\t"}', "{\"blueprint\":\"wéb\"}".encode(),
    b"--boundary\r\n", b"<?xml version='1.0'?>", b"a=b&c=d",
]

# (field, values that it must refuse); the pointer must name the field.
INSTANCE = {
    "blueprint": [None, 1, True, [], {}, "", "UPPER", "a b", "a/b", "../x", "a" * 64, "-a", "a-", "é", "a\n", "a\u202eb"],
    "count": [0, -1, 1001, 1.5, "1", True, [], {}, 2**63 - 1],
    "owner": ["", "a b", "a\u0000b".replace("\u0000", "\u0001"), "é", "x" * 129, 1, []],
    "name": ["", "A", "a_b", "x" * 64, 7, {}],
    "lifetime_s": [-1, "1h", True, [], 1e300, 0.0001],
    "pool": ["", "No", 1],
    "blueprint_version": [-1, "1", 1.5],
}
BLUEPRINT = {
    "image": [None, "", 1, "a b", "x" * 5000, "\u0001"],
    "memory_bytes": [0, -1, "64m", 1.5, 2**62, True],
    "command": ["ls", [1], [None], {"a": 1}, ["{nobody}"], ["{"], ["x" * 200000]],
    "env": [["A=b"], {"A": 1}, {"": "x"}, {"A=": "x"}, {"A": "{x}"}],
    "ports": [{}, [1], [{"container": 0}], [{"container": 65536}], [{"container": 80, "protocol": "icmp"}],
              [{"container": 80}, {"container": 80}], [{"container": 80, "colour": 1}], [{}]],
    "cpus": [-1, "1", 0.00001, 1e10],
    "pids": [-5, "x", 0.5],
    "cap_add": [["ALL_OF_IT"], ["sys admin"], "NET_ADMIN", [1]],
    "ulimits": [[{"name": "nothing", "soft": 1, "hard": 1}], [{"soft": 1}], {}],
    "tmpfs": [{"relative": ""}, {"/a": 1}, []],
    "ready": ["port", {"kind": "maybe"}, {"kind": "http", "path": "no-slash"}, {"timeout_s": -1}],
    "restart": ["always", {"policy": "often"}, {"max_retries": -1}],
    "pull": ["sometimes", 1],
    "labels": [{"a": 1}, [], {"": "x"}],
    "read_only": ["yes", 1],
    "lifetime_s": [-1, "1d"],
    "pool": ["A", 1],
}


class BadJson(world.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.world.blueprint()

    def refused(self, answer, pointer=None):
        self.assertEqual(answer.status, 400, answer)
        self.assertEqual(answer.json["code"], "invalid_request")
        if pointer is not None:
            pointers = [e["pointer"] for e in answer.json["errors"]]
            self.assertTrue(any(p == pointer or p.startswith(pointer + "/") for p in pointers), f"{pointer}: {pointers}")

    def tearDown(self):
        self.assertEqual(self.world.call("GET", "/healthz").status, 200)

    def test_documents(self):
        for document in DOCUMENTS:
            with self.subTest(document=document[:40]):
                self.refused(self.world.call("POST", "/v1/instances", document))

    def test_fields(self):
        for path, good, table, method in (("/v1/instances", {"blueprint": "web"}, INSTANCE, "POST"),
                                          ("/v1/blueprints/web", WEB, BLUEPRINT, "PUT")):
            for field, values in table.items():
                for value in values:
                    if value is None and field not in ("blueprint", "image"):
                        continue
                    with self.subTest(field=field, value=repr(value)[:60]):
                        self.refused(self.world.call(method, path, {**good, field: value}), f"/{field}")

    def test_unknown_fields_are_named(self):
        for path, body in (("/v1/instances", {"blueprint": "web", "colour": "red"}), ("/v1/instances", {"Blueprint": "web"}),
                           ("/v1/housekeeping", {"now": True}), ("/v1/tokens", {"name": "a", "role": "user", "secret": "x"})):
            answer = self.world.call("POST", path, body)
            self.refused(answer)
            self.assertIn("unknown_field", [e["code"] for e in answer.json["errors"]])
        nested = {**WEB, "ready": {"kind": "none", "colour": 1}}
        self.refused(self.world.call("PUT", "/v1/blueprints/web", nested), "/ready/colour")

    def test_pointers_escape(self):
        answer = self.world.call("POST", "/v1/instances", {"blueprint": "web", "a/b~c": 1})
        self.refused(answer, "/a~1b~0c")

    def test_many_mistakes_are_told_together_and_bounded(self):
        answer = self.world.call("POST", "/v1/instances", {"count": "x", "owner": 1, **{f"f{i}": i for i in range(500)}})
        self.refused(answer, "/count")
        self.assertLessEqual(len(answer.json["errors"]), 16)
        self.assertLess(len(answer.body), 16384)

    def test_what_was_sent_is_not_echoed_raw(self):
        answer = self.world.call("POST", "/v1/instances", {"blueprint": "web", "x\u001b[31m\n": 1})
        self.refused(answer)
        self.assertNotIn(b"\x1b", answer.body)

    def test_names_in_paths(self):
        for name in ("%00", "%2F", "a%2Fb", "%2e%2e", "..", ".", "%", "%4", "%zz", "%ff", "%c0%af"):
            answer = self.world.call("GET", f"/v1/blueprints/{name}")
            self.assertEqual(answer.status, 400, name)
        for name in ("UPPER", "a%20b", "x" * 300, "%C3%A9", "a;b", "a=b", "%0a", "~", "'", "*"):
            self.assertEqual(self.world.call("GET", f"/v1/blueprints/{name}").status, 404, name)
        for name in ("i-", "i-0", "h-0000000000001", "i-000000000000l", "i-zzzzzzzzzzzzz", "0", "%C3%A9"):
            self.assertEqual(self.world.call("GET", f"/v1/instances/{name}").status, 404, name)
        self.assertEqual(self.world.call("PUT", "/v1/blueprints/UPPER", WEB).status, 400)
        self.assertEqual(self.world.call("PUT", "/v1/pools/UPPER", {}).status, 400)
        self.assertEqual(self.world.call("PUT", "/v1/blueprints/one", {**WEB, "name": "two"}).status, 400)

    def test_a_time_zone_that_is_nowhere(self):
        good = {"cron": "0 8 * * *", "duration_s": 3600, "min_hosts": 1}
        answer = self.world.call("PUT", "/v1/pools/zoned", {"schedules": [good, {**good, "time_zone": "Mars/Olympus"}]})
        self.assertEqual(answer.status, 400)
        self.assertEqual([error["pointer"] for error in answer.json["errors"]], ["/schedules/1/time_zone"])
        self.assertIn("Mars/Olympus", answer.json["errors"][0]["detail"])
        self.assertEqual(self.world.call("GET", "/v1/pools/zoned").status, 404)

    def test_queries(self):
        for query in ("limit=0", "limit=-1", "limit=1001", "limit=x", "limit=", "limit=1&limit=2", "colour=red", "cursor=",
                      "cursor=x", "cursor=" + "A" * 12, "cursor=" + "A" * 200, "state=sleeping", "owner=%00", "owner=%zz",
                      "owner=a%20b", "host=A_B", "=x", "%00=1", "state=running&state=failed", "limit=99999999999999999999",
                      "LIMIT=1", "owner=" + "x" * 200):
            with self.subTest(query=query[:40]):
                answer = self.world.call("GET", f"/v1/instances?{query}")
                self.refused(answer)
                self.assertTrue(answer.json["errors"][0]["pointer"].startswith("?"))
        self.assertEqual(self.world.call("GET", "/v1/instances?").status, 200)
        self.assertEqual(self.world.call("GET", "/v1/instances?&&limit=1&").status, 200)
        self.refused(self.world.call("GET", "/v1/version?x=1"))
        for query in ("tail=-1", "tail=x", "since=yesterday", "since=-5", "follow=maybe", "timestamps=2"):
            self.refused(self.world.call("GET", f"/v1/instances/i-0000000000001/logs?{query}"))

    def test_media_types(self):
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonx", "", "multipart/form-data",
                     "application/problem+json"):
            answer = self.world.call("POST", "/v1/instances", {"blueprint": "web"}, Content_Type=kind)
            self.problem(answer, 415, "unsupported_media_type")
        for kind in ("application/json", "application/json; charset=utf-8", "Application/JSON"):
            self.assertEqual(self.world.call("POST", "/v1/instances", {"blueprint": "none"}, Content_Type=kind).status, 404)
        self.problem(self.world.call("POST", "/v1/images", b"x", Content_Type="text/plain"), 415, "unsupported_media_type")

    def test_sizes(self):
        big = json.dumps({"blueprint": "web", "name": "x" * (2 << 20)}).encode()
        self.problem(self.world.call("POST", "/v1/instances", big), 413, "payload_too_large")
        self.problem(self.world.call("GET", "/v1/instances/" + "x" * 5000), 413, "payload_too_large")
        self.assertEqual(self.world.call("GET", "/v1/instances", X_Long="x" * 7000).status, 200)

    def test_bodies_where_none_belong(self):
        self.refused(self.world.call("GET", "/v1/instances", b"{}"))
        self.refused(self.world.call("DELETE", "/v1/instances/i-0000000000001", {}))


class BadHttp(world.Case):
    def status(self, data, **options):
        """The status of the first answer to these bytes; 0: the connection was closed without one."""
        got = self.world.raw(data, **options)
        return int(got.split(b" ", 2)[1]) if got.startswith(b"HTTP/1.") else 0

    def request(self, *lines, body=b"", method=b"POST", path=b"/v1/housekeeping"):
        auth = b"Authorization: Bearer " + self.world.admin.encode()
        return b"\r\n".join([method + b" " + path + b" HTTP/1.1", auth, b"Connection: close", *lines, b"", body])

    def tearDown(self):
        self.assertEqual(self.world.call("GET", "/healthz").status, 200)

    def test_framing(self):
        host = b"Host: x"
        chunked = b"Transfer-Encoding: chunked"
        json_type = b"Content-Type: application/json"
        self.assertEqual(self.status(self.request(host, json_type, b"Content-Length: 2", body=b"{}")), 202)
        self.assertEqual(self.status(self.request(host, json_type, chunked, body=b"2\r\n{}\r\n0\r\n\r\n")), 202)
        for lines, body in (
                ([], b""),
                ([host, host], b""),
                ([host, b"Content-Length: 2", b"Content-Length: 2"], b"{}"),
                ([host, b"Content-Length: 2", b"Content-Length: 3"], b"{}"),
                ([host, b"Content-Length: 2", chunked], b"2\r\n{}\r\n0\r\n\r\n"),
                ([host, chunked, chunked], b"2\r\n{}\r\n0\r\n\r\n"),
                ([host, b"Content-Length: x"], b"{}"),
                ([host, b"Content-Length: -1"], b"{}"),
                ([host, b"Content-Length: +2"], b"{}"),
                ([host, b"Content-Length: 0x2"], b"{}"),
                ([host, b"Content-Length: 2, 2"], b"{}"),
                ([host, b"Content-Length: 99999999999999999999999"], b"{}"),
                ([host, b"Transfer-Encoding: identity"], b""),
                ([host, b"Transfer-Encoding: gzip, chunked"], b"2\r\n{}\r\n0\r\n\r\n"),
                ([host, b"Transfer-Encoding : chunked"], b"2\r\n{}\r\n0\r\n\r\n"),
                ([host, b"Authorization: Bearer x"], b""),
                ([host, b"Idempotency-Key: a", b"Idempotency-Key: b"], b""),
                ([host, b"If-Match: *", b"If-Match: *"], b""),
                ([b" Host: x"], b""),
                ([b"Host : x"], b""),
                ([host, b"no colon here"], b""),
                ([host, b"X: a\x01b"], b""),
        ):
            with self.subTest(lines=lines):
                status = self.status(self.request(*lines, body=body))
                self.assertIn(status, (0, 400, 411, 413, 501), lines)

    def test_host_is_needed_by_1_1_only(self):
        self.assertEqual(self.status(b"GET /healthz HTTP/1.1\r\n\r\n"), 400)
        self.assertEqual(self.status(b"GET /healthz HTTP/1.0\r\n\r\n"), 200)

    def test_chunks(self):
        for body in (b"zz\r\n{}\r\n0\r\n\r\n", b"-1\r\n", b"ffffffffffffffff\r\n{}", b"2\r\n{}0\r\n\r\n", b"2 2\r\n{}\r\n0\r\n\r\n",
                     b"2\r\n{}\r\n0\r\nContent-Length: 5\r\n\r\n"):
            status = self.status(self.request(b"Host: x", b"Content-Type: application/json", b"Transfer-Encoding: chunked",
                                              body=body), half_close=True)
            self.assertIn(status, (0, 202, 400, 413), body)

    def test_request_lines(self):
        for line in (b"GET", b"GET /", b"GET /healthz", b"GET /a b HTTP/1.1", b"G\x00T / HTTP/1.1",
                     b"GET /healthz HTTP/3.0", b"GET /healthz HTTQ/1.1", b"GET http://x/healthz HTTP/1.1", b"GET * HTTP/1.1",
                     b"CONNECT x:1 HTTP/1.1", b"GET /\xff HTTP/1.1", b"GET /#a HTTP/1.1", b"\x16\x03\x01\x02\x00\x01\x00",
                     b"PRI * HTTP/2.0", b"x" * 20000):
            with self.subTest(line=line[:30]):
                status = self.status(line + b"\r\nHost: x\r\n\r\n", half_close=True)
                self.assertIn(status, (0, 400, 404, 405, 413, 414, 431, 505))

    def test_heads_are_bounded(self):
        for lines in ([b"X: " + b"x" * 100000], [b"X%d: y" % i for i in range(5000)], [b"X" * 60000 + b": y"]):
            status = self.status(self.request(b"Host: x", *lines))
            self.assertIn(status, (0, 400, 413, 431))

    def test_answers_keep_their_order_when_requests_come_together(self):
        one = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        last = b"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        got = self.world.raw(one * 20 + last)
        self.assertEqual(got.count(b"HTTP/1.1 200"), 20)
        self.assertEqual(got.count(b"HTTP/1.1 404"), 1)
        self.assertLess(got.rfind(b"HTTP/1.1 200"), got.find(b"HTTP/1.1 404"))

    def test_expectations(self):
        auth = b"Authorization: Bearer " + self.world.admin.encode()
        head = b"\r\n".join([b"POST /v1/instances HTTP/1.1", b"Host: x", auth, b"Content-Type: application/json",
                             b"Expect: 100-continue", b"Connection: close", b"Content-Length: 99999999", b"", b""])
        self.assertEqual(self.status(head), 413)

    def test_early_leavers(self):
        for cut in (1, 10, 40, 80):
            data = self.request(b"Host: x", b"Content-Type: application/json", b"Content-Length: 100", body=b"{")[:cut]
            with socket.create_connection(("127.0.0.1", self.world.port)) as sock:
                sock.sendall(data)
        for _ in range(50):
            with socket.create_connection(("127.0.0.1", self.world.port)) as sock:
                sock.sendall(self.request(b"Host: x", path=b"/v1/housekeeping"))


class SlowClients(world.Case):
    limits = {"connections": 200}

    def test_they_do_not_stop_it(self):
        """More slow connections than there is room for, each sending a byte now and then."""
        socks = []
        try:
            for _ in range(600):
                sock = socket.create_connection(("127.0.0.1", self.world.port), timeout=5)
                sock.sendall(b"GET /v1/instances HTTP/1.1\r\nHost: x\r\nX: ")
                socks.append(sock)
            for _ in range(10):
                begin = time.monotonic()
                self.assertEqual(self.world.call("GET", "/v1/version").status, 200)
                self.assertLess(time.monotonic() - begin, 5)
                for sock in socks:
                    try:
                        sock.send(b"x")
                    except OSError:
                        pass
        finally:
            for sock in socks:
                sock.close()
        text = self.world.call("GET", "/metrics").body
        self.assertIn(b"berth_api_connections_evicted_total", text)

    def test_a_slow_head_is_cut(self):
        with socket.create_connection(("127.0.0.1", self.world.port), timeout=0.2) as sock:
            sock.sendall(b"GET /healthz HTTP/1.1\r\n")

            def is_cut():
                try:
                    sock.send(b"X: y\r\n")
                    return sock.recv(10) == b""
                except TimeoutError:
                    return False
                except OSError:
                    return True
            world.wait_for(is_cut, "the connection is cut although it says something now and then", 25)


if __name__ == "__main__":
    unittest.main(verbosity=2)
