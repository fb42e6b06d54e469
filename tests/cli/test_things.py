"""Everything but instances: blueprints, hosts, pools, tokens, images, operations, events, backups, health, api."""

import json
import os
import unittest

from . import cases, fake, rows

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUbkbsUzoT0qc9xUhvFqHRVjPcbyWOdmGKDbKWBoA0m"
NOTEBOOK = """# what people get
name: notebook
image: notebook:1
memory_bytes: 512m
lifetime_s: 8h
env:
  KEEP_S: 1h
"""


class BlueprintTest(cases.CliTest):
    def test_apply_creates_changes_and_leaves_alone(self):
        path = self.file("b.yaml", NOTEBOOK)
        self.assert_mentions(self.berth("blueprint", "apply", "-f", path).out, "notebook created")
        self.assertEqual(self.fake.asked("PUT")[0]["body"],
                         {"name": "notebook", "image": "notebook:1", "memory_bytes": 512 << 20, "lifetime_s": 28800,
                          "env": {"KEEP_S": "1h"}})
        self.assert_mentions(self.berth("blueprint", "apply", "-f", path).out, "unchanged")
        self.file("b.yaml", NOTEBOOK.replace("512m", "1g"))
        self.assert_mentions(self.berth("blueprint", "apply", "-f", path).out, "changed, version 2")

    def test_several_documents_lists_and_standard_input(self):
        path = self.file("two.yaml", NOTEBOOK + "---\n# nothing\n---\nname: other\nimage: x\nmemory_bytes: 64m\n")
        self.assertEqual(self.berth("blueprint", "apply", "-f", path, "-q").out.split(), ["notebook", "other"])
        rows = [{"name": "a", "image": "x", "memory_bytes": 1 << 26}, {"name": "b", "image": "x", "memory_bytes": "64m"}]
        self.berth("blueprint", "apply", "-f", "-", stdin=json.dumps(rows))
        self.assertEqual(len(self.fake.rows["blueprints"]), 4)

    def test_what_is_shown_can_be_applied(self):
        self.fake.add_blueprint("demo", memory_bytes=1 << 27)
        text = self.berth("blueprint", "show", "demo", "-o", "yaml").out
        self.assert_mentions(self.berth("blueprint", "apply", "-f", "-", stdin=text).out, "unchanged")

    def test_errors_name_file_line_and_field(self):
        broken = self.file("broken.yaml", NOTEBOOK + "---\nname: [x\n")
        self.assertRegex(self.berth("blueprint", "apply", "-f", broken, code=2).err, r"broken\.yaml:(9|10|11):")
        wrong = self.file("wrong.yaml", "name: w\nimage: x\nmemory_bytes: 12 lightyears\n")
        self.assert_mentions(self.berth("blueprint", "apply", "-f", wrong, code=2).err, "memory_bytes", "512m")
        self.assertEqual(self.fake.asked("PUT"), [])
        typo = self.file("typo.yaml", "name: w\nimage: x\nmemory: 12\n")
        self.assert_mentions(self.berth("blueprint", "apply", "-f", typo, code=2).err,
                             "/memory: is not known; did you mean memory_bytes?", "/memory_bytes: must be an integer")
        self.berth("blueprint", "apply", code=2)
        self.berth("blueprint", "apply", "-f", "/nowhere.yaml", code=3)
        self.berth("blueprint", "apply", "-f", self.file("empty.yaml", "# nothing\n"), code=2)

    def test_dry_run_checks_by_the_daemons_rules_and_changes_nothing(self):
        self.assert_mentions(self.berth("blueprint", "apply", "--dry-run", "-f", self.file("b.yaml", NOTEBOOK)).out, "good")
        bad = self.file("bad.yaml", "name: w\nimage: x\nmemroy_bytes: 12m\n")
        self.assert_mentions(self.berth("blueprint", "apply", "--dry-run", "-f", bad, code=2).err, "/memroy_bytes")
        self.assertEqual(self.fake.asked("PUT"), [])

    def test_list_and_remove(self):
        self.fake.add_blueprint("demo")
        self.assert_mentions(self.berth("blueprint", "ls").out, "demo:1", "64 MiB")
        self.berth("blueprint", "rm", "demo", "--dry-run")
        self.berth("blueprint", "rm", "demo")
        self.assertEqual(self.fake.rows["blueprints"], [])
        self.berth("blueprint", "rm", "demo", code=3)


class HostTest(cases.CliTest):
    def setUp(self):
        super().setUp()
        self.host = self.fake.add_host("rack1")

    def test_list_and_show(self):
        self.fake.add_host("gone", state="removed")
        self.fake.add_event("host.active", "probed", self.host["id"])
        self.assertEqual(self.berth("host", "ls", "-q").out, "rack1\n")
        self.assert_mentions(self.berth("host", "ls").out, "1 GiB / 4 GiB", "0 / 3", "2h")
        self.assertEqual(self.berth("host", "ls", "-q", "--filter", "labels.team=red").out, "")
        self.assertEqual(self.berth("host", "ls", "-q", "--filter", "labels.team=blue").out, "rack1\n")
        self.assert_mentions(self.berth("host", "show", "rack1").out, "10.0.0.5", "team: blue")
        self.assert_mentions(self.berth("host", "show", "rack1").out, "HISTORY, NEWEST FIRST", "probed")
        self.assertNotIn("HISTORY", self.berth("host", "show", "rack1", "-o", "json").out)

    def test_add(self):
        self.berth("host", "add", "rack2", "--engine", "tcp://10.0.0.6:2376", "--ca", "/c", "--cert", "/d", "--key", "/k",
                   "--label", "team=red", "--label", "gpu=no", "--wait")
        self.assertEqual(self.fake.asked("POST")[0]["body"],
                         {"name": "rack2", "pool": "default", "engine": "tcp://10.0.0.6:2376", "ca": "/c", "cert": "/d",
                          "key": "/k", "labels": {"team": "red", "gpu": "no"}})
        self.assertEqual(self.fake.rows["hosts"][-1]["state"], "active")
        self.berth("host", "add", "rack3", code=2)
        self.berth("host", "add", "rack3", "--engine", "x", "--dry-run")

    def test_add_by_ssh(self):
        self.berth("host", "add", "rack2", "--ssh", "debian@10.0.0.6:2222", "--host-key", KEY + " it")
        self.assertEqual(self.fake.asked("POST")[0]["body"],
                         {"name": "rack2", "pool": "default", "ssh": "debian@10.0.0.6:2222", "host_key": KEY + " it", "labels": {}})
        told = self.berth("host", "add", "rack2", "--ssh", "debian@10.0.0.6", code=2).err
        self.assert_mentions(told, "no ed25519 host key of 10.0.0.6 is known", "ssh-keyscan -t ed25519 -p 22 10.0.0.6",
                             "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub", "--host-key")
        os.mkdir(os.path.join(self.home, ".ssh"))
        self.file(".ssh/known_hosts", f"10.0.0.6 ssh-rsa AAAA\n10.0.0.6,rack2 {KEY}\n")
        self.assert_mentions(self.berth("host", "add", "rack2", "--ssh", "debian@rack2").err, "the host key is that of")
        self.assertEqual(self.fake.asked("POST")[1]["body"]["host_key"], KEY)
        for words in (("--ssh", "debian@rack2", "--engine", "unix:///x"), ("--ssh", "debian"), (),
                      ("--ssh", "debian@10.0.0.7", "--host-key", "ssh-ed25519 AAAA")):
            self.berth("host", "add", "rack3", *words, code=2)
        told = self.berth("host", "add", "rack3", "--ssh", "a@b", "--host-key", "ssh-rsa AAAAB3NzaC1yc2E=", code=2).err
        self.assert_mentions(told, "--host-key must be the machine's ed25519 key: no other kind is verified")
        self.assertEqual(len(self.fake.asked("POST")), 2)
        self.assertEqual(self.berth("pool", "ssh-key").out, KEY + " berth\n")

    def test_drain_activate_remove(self):
        self.berth("host", "drain", "rack1", "--dry-run")
        self.assertEqual(self.fake.asked("POST"), [])
        self.berth("host", "drain", "rack1", "--deadline", "10m", "--wait")
        self.assertEqual(self.fake.asked("POST")[-1]["body"], {"deadline_s": 600})
        self.assertEqual(self.fake.rows["operations"][-1]["state"], "done")
        self.berth("host", "activate", "rack1")
        self.berth("host", "rm", self.host["id"], "--force", "--yes")
        self.assertEqual(self.fake.asked("POST")[-1]["body"], {"force": True})
        self.berth("host", "drain", "nobody", code=3)


class PoolTest(cases.CliTest):
    def test_list_and_set(self):
        pool = self.fake.add_pool()
        self.assert_mentions(self.berth("pool", "ls").out, "default", "static")
        self.berth("pool", "set", "default", "overcommit.memory=1.5", "reserve.memory_bytes=512m", "drain_deadline_s=1h",
                   "labels.zone=a")
        self.assertEqual(pool["policy"], {
            "overcommit": {"memory": 1.5, "cpus": 1}, "reserve": {"memory_bytes": 512 << 20, "cpus": 0},
            "labels": {"zone": "a"}, "error_threshold": 3, "drain_deadline_s": 3600})
        self.assertEqual(self.fake.asked("PUT")[0]["headers"]["if-match"], '"3"')
        self.berth("pool", "set", "default", code=2)
        self.berth("pool", "set", "default", "nonsense", code=2)
        self.berth("pool", "set", "default", "error_threshold=5", "--dry-run")
        self.assertEqual(pool["policy"]["error_threshold"], 3)

    def test_set_every_kind_of_member(self):
        pool = self.fake.add_pool()
        self.berth("pool", "set", "default", "max_hosts=12", "budget_per_month=500.5", "free_memory_bytes=8g", "shutdown=true",
                   "host_lifetime_s=4h", "machine_choice=by_use",
                   "schedules=[{cron: 30 7 * * mon-fri, time_zone: Europe/Helsinki, duration_s: 10h, free_memory_bytes: 16g}]")
        wanted = {"max_hosts": 12, "budget_per_month": 500.5, "free_memory_bytes": 8 << 30, "shutdown": True,
                  "host_lifetime_s": 14400, "machine_choice": "by_use",
                  "schedules": [{"cron": "30 7 * * mon-fri", "time_zone": "Europe/Helsinki", "duration_s": 36000,
                                 "free_memory_bytes": 16 << 30}]}
        self.assertEqual({key: pool["policy"][key] for key in wanted}, wanted)
        path = self.file("policy.yaml", "min_hosts: 2\nfree_memory_bytes: 1g\nschedules:\n- cron: '0 8 * * *'\n"
                                        "  duration_s: 1h\n  min_hosts: 5\n")
        self.berth("pool", "set", "default", "--file", path)
        self.assertEqual(pool["policy"], {"min_hosts": 2, "free_memory_bytes": 1 << 30, "schedules": [
            {"cron": "0 8 * * *", "duration_s": 3600, "min_hosts": 5}]})
        self.assert_mentions(self.berth("pool", "set", "default", "schedules=[{duration_s: often}]", code=2).err, "duration_s")

    def test_show_tells_how_it_stands(self):
        self.fake.add_pool()
        self.fake.status["pools"] = [rows.pool_status(money={"spent": 12.5, "committed": 3.25, "budget": 500},
                                                      held=[{"hold": "budget", "text": "500 of 500"}])]
        shown = self.berth("pool", "show", "default").out
        self.assert_mentions(shown, "drain_deadline_s: 10 min", "spent: 12.5", "budget: 500", "launches_per_hour: 20",
                             "hold: budget", "headroom:")
        self.assertEqual(self.fake.asked("GET", "/v1/status")[0]["query"], {"pool": "default"})

    def test_shutdown(self):
        pool = self.fake.add_pool("rent", provider="ec2")
        self.fake.status["pools"] = [rows.pool_status("rent", provider="ec2")]
        self.assert_mentions(self.berth("pool", "shutdown", "rent", "--dry-run").err, "the pool rent (2 hosts, 2 instances)")
        self.assertEqual(self.fake.asked("POST"), [])
        shown = self.berth("pool", "shutdown", "rent", "--deadline", "30m", "--yes", "--wait", "-o", "json").json
        self.assertEqual(self.fake.asked("POST")[-1]["body"], {"deadline_s": 1800})
        self.assertEqual((shown["kind"], shown["state"], shown["text"]), ("pool_shutdown", "done", "as it ended"))
        self.assertTrue(pool["policy"]["shutdown"])
        self.assert_mentions(self.berth("pool", "shutdown", "rent", "--yes").out, "2 instances on 2 hosts end by then")
        self.assertEqual(self.fake.asked("POST")[-1]["body"], {})
        self.berth("pool", "shutdown", "none", "--yes", code=3)

    def test_drift(self):
        self.fake.add_pool("rent", provider="ec2")
        self.assert_mentions(self.berth("pool", "drift").out, "rent-1", "0001", "00ff", "differs")
        self.assertEqual(self.berth("pool", "drift", "rent", "-q").out, "rent-1\n")
        self.berth("pool", "drift", "none", code=3)

    def test_orphans_of_all_pools_that_rent(self):
        self.fake.add_pool()
        self.assertEqual(self.berth("pool", "orphans", "-q").out, "")
        self.assertEqual(self.fake.asked("GET", "/v1/pools/default/orphans"), [])
        for name in ("rent", "more"):
            self.fake.add_pool(name, provider="ec2")
        self.fake.orphans = {"rent": {"items": [rows.orphan("i-1", "stopped"), rows.orphan("i-2", "young")], "stopped": 8},
                             "more": {"items": [rows.orphan("i-3")], "complete": False}}
        shown = self.berth("pool", "orphans", "-o", "wide")
        self.assert_mentions(shown.out, "i-1", "rent", "t3.small", "eu-north-1a", "2h", "stopped", "i-3", "more")
        self.assert_mentions(shown.err, "more: the listing is not complete", "berth pool orphans rent --all")
        self.assertEqual(self.berth("pool", "orphans", "rent", "-q").out, "i-1\ni-2\n")
        self.assertEqual(self.berth("pool", "orphans", "-o", "json").json[2]["pool"], "more")
        self.berth("pool", "orphans", "none", code=3)

    def test_orphans_are_ended_by_name(self):
        self.fake.add_pool("rent", provider="ec2")
        self.fake.orphans = {"rent": {"items": [rows.orphan("i-1", "stopped"), rows.orphan("i-2", "young"), rows.orphan("i-3")]}}
        self.assert_mentions(self.berth("pool", "orphans", "--all", "--dry-run").err, "would end 2 machines")
        self.assertEqual(self.fake.asked("POST"), [])
        ended = self.berth("pool", "orphans", "rent", "--all", "--yes", "-o", "json").json
        self.assertEqual(self.fake.asked("POST")[-1]["body"], {"machines": ["i-1", "i-3"]})
        self.assertEqual([i["verdict"] for i in ended], ["ending", "young", "ending"])
        self.berth("pool", "orphans", "--terminate", "i-2", "--yes")
        self.assertEqual(self.fake.asked("POST")[-1]["body"], {"machines": ["i-2"]})
        asked = len(self.fake.asked("POST"))
        self.assert_mentions(self.berth("pool", "orphans", "--terminate", "i-9", "--yes", code=3).err, "i-9 is not listed")
        self.fake.orphans = {}
        self.assert_mentions(self.berth("pool", "orphans", "--all", "--yes").err, "there is none to be ended")
        self.assertEqual(len(self.fake.asked("POST")), asked)

    def test_what_this_daemon_does_not_have_yet_is_said(self):
        self.assert_mentions(self.berth("route", "ls", code=3).err, "no routes yet")


class PlanTest(cases.CliTest):
    def setUp(self):
        super().setUp()
        self.pool = self.fake.add_pool()

    def test_it_is_readable(self):
        lines = self.berth("pool", "plan", "default").out.splitlines()
        self.assertEqual(lines[0].split(), ["ROUND", "WHEN", "ACTION", "HOST", "REASON"])
        self.assertEqual(lines[1].split()[:6], ["1", "now", "spawn", "(a", "new", "m5.large)"])
        self.assertEqual(lines[3].split()[:5], ["2", "in", "15s", "remove", "rack1"])
        self.assert_mentions("\n".join(lines), "its life of 4 hours ends", "Held back by budget: 500 of 500",
                             "berth pool set default budget_per_month=N", "Headroom: 1 GiB, 4 slots; wanted: 3 GiB; waiting: 7",
                             "499.50 spent, up to 12.00 more", "budget 500.00", "3 of 20", "in 60m")
        self.assertEqual(self.fake.asked("POST"), [])

    def test_rounds(self):
        self.assertNotIn("in 15s", self.berth("pool", "plan", "default", "--rounds", "1").out)
        self.assertEqual(self.fake.asked("GET")[-1]["query"], {"rounds": "1"})
        self.assert_mentions(self.berth("pool", "plan", "default", "--rounds", "11", code=2).err, "--rounds", "10")

    def test_for_programs(self):
        plan = self.berth("pool", "plan", "default", "-o", "json").json
        self.assertEqual((plan["revision"], len(plan["rounds"])), ("rev-3", 2))
        self.assertEqual(self.berth("pool", "plan", "default", "-o", "json", "--apply", "--yes").json["text"],
                         "2 of 2 actions begun")

    def test_apply(self):
        result = self.berth("pool", "plan", "default", "--apply", "--yes")
        self.assert_mentions(result.out, "spawn")
        self.assert_mentions(result.err, "2 of 2 actions begun")
        asked = self.fake.asked("POST", "/v1/pools/default/plan/apply")[0]
        self.assertEqual(asked["body"], {"revision": "rev-3"})
        self.assertIn("idempotency-key", asked["headers"])

    def test_apply_refuses_when_the_pool_has_moved(self):
        self.fake.streams["/v1/pools/default/plan"] = {**rows.plan(), "pool": "default", "revision": "rev-2"}
        self.assert_mentions(self.berth("pool", "plan", "default", "--apply", "--yes", code=5).err, "has moved since",
                             "ask for a new plan")

    def test_nothing_to_do(self):
        self.fake.plan = {**rows.plan(), "rounds": [rows.plan_round(0)], "next_at": None}
        result = self.berth("pool", "plan", "default", "--apply")
        self.assert_mentions(result.out, "Nothing is to be done")
        self.assert_mentions(result.err, "nothing is to be done now")
        self.assertEqual(self.fake.asked("POST"), [])
        self.berth("pool", "plan", "none", code=3)


class TokenTest(cases.CliTest):
    def test_create_shows_the_secret_once_and_only_on_stdout(self):
        result = self.berth("token", "create", "ann", "--role", "operator", "--pool", "a", "--pool", "b", "--expires", "90d")
        self.assertEqual(result.out, "berth_new_secret\n")
        self.assertNotIn("berth_new_secret", result.err)
        self.assertEqual(self.fake.asked("POST")[0]["body"],
                         {"name": "ann", "role": "operator", "pools": ["a", "b"], "expires_in_s": 90 * 86400})
        self.berth("token", "create", "x", "--role", "king", code=2)

    def test_list_and_revoke(self):
        self.berth("token", "create", "ann")
        ident = self.berth("token", "ls", "-q").out.strip()
        self.assert_mentions(self.berth("token", "ls").out, "ann", "user")
        self.berth("token", "rm", ident)
        self.assertEqual(self.fake.rows["tokens"], [])


class ImageTest(cases.CliTest):
    def test_load_sends_the_whole_archive(self):
        data = bytes(range(256)) * 20000
        path = os.path.join(self.home, "i.tar")
        with open(path, "wb") as f:
            f.write(data)
        self.berth("image", "load", path, "--pool", "default", "--wait")
        sent = self.fake.asked("POST", "/v1/images")[0]
        self.assertEqual((sent["raw"], sent["query"], sent["headers"]["content-type"]),
                         (data, {"pool": "default"}, "application/x-tar"))
        self.berth("image", "load", "-", text=False, stdin=data)
        self.assertEqual(self.fake.loaded, data)
        self.berth("image", "load", "/nowhere.tar", code=3)

    def test_pull_tells_that_it_failed(self):
        self.assert_mentions(self.berth("image", "pull", "demo:1", "--wait", code=1).err, "failed", "as it ended")
        self.assert_mentions(self.berth("image", "pull", "demo:1").out, "state: running")

    def test_list(self):
        self.assert_mentions(self.berth("image", "ls").out, "demo:1", "5 MiB")


class SystemTest(cases.CliTest):
    def test_operations(self):
        ident = self.fake.add_operation()["id"]
        self.assert_mentions(self.berth("operation", "ls").out, ident, "0 / 2")
        self.assert_mentions(self.berth("operation", "show", ident, "--wait").out, "state: done")
        self.berth("operation", "cancel", ident)
        self.assert_mentions(self.berth("housekeep", "--wait").out, "done")

    def test_backup_is_whole_private_and_overwrites_nothing(self):
        path = os.path.join(self.home, "copy.db")
        self.berth("backup", "create", path)
        with open(path, "rb") as f:
            self.assertEqual(len(f.read()), 5016)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.berth("backup", "create", path, code=5)
        other = os.path.join(self.home, "other.db")
        self.fake.fault(fake.CUT, "POST", "/v1/backups")
        self.berth("backup", "create", other, code=6)
        self.assertEqual([n for n in os.listdir(self.home) if n.startswith("other")], [])

    def test_doctor(self):
        self.assert_mentions(self.berth("doctor").out, "reservations", "yes")
        self.fake.streams["/v1/doctor"] = {"ok": False, "failed": 1, "checks": [
            {"check": "one_copy", "ok": False, "detail": "i-1 runs twice"}]}
        self.assert_mentions(self.berth("doctor", code=1).out, "i-1 runs twice")

    def test_api(self):
        self.fake.add_pool()
        self.assertEqual(self.berth("api", "GET", "pools/default").json["name"], "default")
        self.assertEqual(self.berth("api", "GET", "/v1/pools?limit=1").json["next"], None)
        self.fake.add_blueprint("demo")
        self.berth("api", "POST", "v1/instances", "-d", '{"blueprint": "demo"}')
        self.assertIn("idempotency-key", self.fake.asked("POST")[0]["headers"])
        path = self.file("body.json", '{"blueprint": "demo", "colour": 1}')
        self.assert_mentions(self.berth("api", "POST", "instances", "-d", "@" + path, code=2).err, "/colour")
        self.fake.streams["/metrics"] = fake.Stream("text/plain", b"berth_up 1\n")
        self.assertEqual(self.berth("api", "GET", "/metrics").out, "berth_up 1\n")
        self.berth("api", "BREW", "/v1/pools", code=2)


class StatusTest(cases.CliTest):
    def test_all_is_well(self):
        shown = self.berth("status").out
        self.assert_mentions(shown, "straw", "2 up", "3 GiB / 4 GiB", "nothing to do")
        self.assertNotIn("Money", shown)

    def test_a_pool_that_rents(self):
        self.fake.status["pools"].append(rows.pool_status(
            "rent", provider="ec2", hosts={"spawned": 1, "active": 8, "inactive": 2, "suspended": 1, "probation": 0},
            headroom=rows.amount(1 << 30, 3), wanted=rows.amount(0, 12), launches_last_hour=3,
            money={"spent": 12.5, "committed": 3.25, "budget": 500}, capacity=rows.amount(9 << 30, 48), reserved=rows.amount(1 << 30, 45)))
        shown = self.berth("status").out
        self.assert_mentions(" ".join(shown.split()), "8 up, 1 new, 2 out 8 GiB / 9 GiB 3 / 48 3 / 12 slots 0 2",
                             "Money of rent this month: 12.50 spent, up to 3.25 more by what is there, of 500.00; launches "
                             "in the last hour: 3 of 20", "nothing to do")
        self.assert_mentions(self.berth("status", "-o", "wide").out, "ec2")

    def test_what_holds_back_growth_and_who_waits(self):
        self.fake.status["pools"] = [rows.pool_status(
            held=[{"hold": "max_hosts", "text": "the pool has 8 of 8 hosts"}],
            queue={"length": 7, "oldest_s": 300, "oldest": "i-7"})]
        self.assert_mentions(" ".join(self.berth("status").out.split()), "held back by max_hosts: the pool has 8 of 8 hosts",
                             "berth pool set default max_hosts=N", "7 wait for room in pool default, the oldest for 5m",
                             "berth explain i-7")

    def test_each_wrong_has_its_words_and_its_command(self):
        wrongs = [(rows.wrong("host_other_engine", "r1"), "is another machine now", "berth host activate r1"),
                  (rows.wrong("host_unreachable", "r1", "r2"), "2 hosts of pool default can't be reached: r1, r2",
                   "berth host show r1"),
                  (rows.wrong("host_missing", "r1"), "not listed by its provider", "berth host show r1"),
                  (rows.wrong("host_suspended", "r1", text="The engine did not answer"),
                   "failed too often (The engine did not answer)", "berth host activate r1"),
                  (rows.wrong("host_probation", "r1"), "little work", "berth host show r1"),
                  (rows.wrong("host_preparation", "r1", text="step 3"), "could not be prepared and is tried again (step 3)",
                   "berth host log r1 --failed"),
                  (rows.wrong("host_waiting", "r1"), "is not ready", "berth host show r1; berth host log r1"),
                  (rows.wrong("host_out", *"abcde", count=9), "9 hosts of pool default are out of service: a, b, c, d, e, ...",
                   "berth host activate a, or berth host rm a"),
                  (rows.wrong("queue_misfit", "huge", count=2), "2 instances of blueprint huge of pool default wait",
                   "berth blueprint show huge"),
                  (rows.wrong("machine_stray", count=8, pool="rent", text="8 of them"),
                   "pool rent has machines without a host, too many to be given back by themselves (8 of them)",
                   "is this the right database?"),
                  (rows.wrong("no_host", pool="empty"), "pool empty has no host", "--pool empty"),
                  (rows.wrong("blueprint_held", "bad", pool=None), "blueprint bad fails wherever it is tried",
                   "berth blueprint show bad")]
        for wrong, what, todo in wrongs:
            self.fake.status["wrong"] = [wrong]
            shown = " ".join(self.berth("status").out.split())
            self.assert_mentions(shown, what, todo)
            self.assertNotIn("nothing to do", shown)

    def test_lines_fit(self):
        self.fake.status["wrong"] = [rows.wrong("host_unreachable", *("a-host-with-a-long-name-%d" % i for i in range(5)),
                                                count=4000, text="word " * 40)]
        self.fake.status["pools"] = [rows.pool_status(f"pool-{i}", hosts={"active": 900, "spawned": 80, "inactive": 70},
                                                      wanted=rows.amount(1 << 50), headroom=rows.amount(1 << 50),
                                                      held=[{"hold": "budget", "text": "more " * 30}]) for i in range(3)]
        for line in self.berth("status").out.splitlines():
            self.assertLessEqual(len(line), 80, line)

    def test_the_daemon_itself(self):
        self.fake.ready = {"status": "full", "reason": "the disk is full"}
        self.assert_mentions(self.berth("status").out, "the daemon is full: the disk is full")
        self.fake.streams["/v1/doctor"] = {"ok": False, "failed": 1, "checks": [
            {"check": "one_copy", "ok": False, "detail": "i-1 runs twice"}]}
        self.assert_mentions(self.berth("status").out, "i-1 runs twice", "berth doctor")

    def test_for_programs(self):
        self.fake.status["wrong"] = [rows.wrong("host_unreachable", "rack1")]
        status = self.berth("status", "-o", "json").json
        self.assertEqual(status["pools"][0]["hosts"]["active"], 2)
        self.assertEqual((status["wrong"][0]["kind"], status["wrong"][0]["names"]), ("host_unreachable", ["rack1"]))
        self.assert_mentions(status["wrong"][0]["do"], "berth host show rack1")

    def test_a_user_sees_what_a_user_may(self):
        self.fake.forbidden = ("/v1/status", "/v1/pools", "/v1/hosts", "/v1/doctor")
        waiting = self.fake.add_instance("queued")
        shown = self.berth("status").out
        self.assert_mentions(shown, "Queue: 1", "1 waits for room in pool default, the oldest for 5m",
                             "berth explain " + waiting["id"])

    def test_a_daemon_that_does_not_answer(self):
        self.env["BERTH_URL"] = "http://127.0.0.1:1"
        self.berth("status", code=6)


class EventTest(cases.CliTest):
    def test_the_last_ones_the_newest_last(self):
        for i in range(5):
            self.fake.add_event("host.active", f"number {i}")
        self.fake.add_event("instance.running", "other")
        lines = self.berth("events", "--kind", "host.active", "--limit", "3").out.splitlines()[1:]
        self.assertEqual([line.split()[-1] for line in lines], ["2", "3", "4"])

    def test_each_tells_whose_it_is(self):
        self.fake.add_event("pool.spawn", "2 GiB more are to be free")
        self.fake.add_event("host.active", "it is ready", host="h-1")
        lines = self.berth("events").out.splitlines()
        self.assertEqual([line.split()[1:3] for line in lines[1:]], [["pool.spawn", "default"], ["host.active", "h-1"]])
        self.assertEqual(lines[0].split(), ["TIME", "KIND", "OF", "TEXT"])
        self.assert_mentions(self.berth("events", "-o", "wide").out, "POOL", "HOST", "INSTANCE")

    def test_watch_goes_on_where_it_was(self):
        rounds = []

        def stream(handler):
            after = handler.headers.get("Last-Event-ID")
            rounds.append(after)
            begin = int(after or 0)
            handler.wfile.write(b": hello\nretry: 2000\n\n")
            for seq in range(begin + 1, begin + 3):
                data = json.dumps({"seq": seq, "at": fake.ago(0), "kind": "host.active", "text": f"number {seq}"})
                handler.wfile.write(f"id: {seq}\nevent: host.active\ndata: {data}\n\n".encode())
            handler.wfile.write(b"id: 99\nevent: host.active\ndata: {\"seq\"")
        self.fake.streams["/v1/events"] = fake.Stream("text/event-stream", stream)
        process = self.start("events", "--watch", "-o", "name")
        self.assertEqual([process.stdout.readline().strip() for _ in range(4)], ["1", "2", "3", "4"])
        self.assertEqual(self.interrupt(process)[0], 130)
        self.assertEqual(rounds[:2], [None, "2"])
        self.assertEqual(self.fake.asked("GET", "/v1/events")[0]["headers"]["accept"], "text/event-stream")

    def test_watch_that_is_refused_ends(self):
        self.env["BERTH_TOKEN"] = "wrong"
        self.berth("events", "--watch", code=4)


if __name__ == "__main__":
    unittest.main()
