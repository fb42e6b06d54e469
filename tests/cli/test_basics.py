"""Help, usage, exit codes, where the daemon and the token come from, and that no token is ever shown."""

import os
import pathlib
import subprocess
import unittest

from . import cases, fake


class UsageTest(cases.CliTest):
    def test_without_a_command_it_explains_itself_and_fails_as_usage(self):
        self.assert_mentions(self.berth(code=2).err, "Usage:", "blueprint apply", "host drain")
        self.assert_mentions(self.berth("host", code=2).err, "host drain", "host ls")
        self.assert_mentions(self.berth("--help").out, "Usage:")
        self.assert_mentions(self.berth("host", "drain", "--help").out, "--deadline", "Examples:")
        self.assertEqual(self.berth("help", "host", "drain").out, self.berth("host", "drain", "-h").out)

    def test_the_nearest_command_and_flag_are_named(self):
        self.assert_mentions(self.berth("sto", code=2).err, "'stop'")
        self.assert_mentions(self.berth("host", "drian", "x", code=2).err, "'drain'")
        self.assert_mentions(self.berth("ps", "--filtre", "a=b", code=2).err, "--filter")
        self.assert_mentions(self.berth("ps", "-o", "ymal", code=2).err, "'yaml'")

    def test_what_is_missing_or_too_much_is_named(self):
        self.assert_mentions(self.berth("run", code=2).err, "BLUEPRINT")
        self.assert_mentions(self.berth("run", "a", "b", code=2).err, "'b'")
        self.assert_mentions(self.berth("run", "a", "--count", "0", code=2).err, "1 to 1000")
        self.assert_mentions(self.berth("run", "a", "--lifetime", "soon", code=2).err, "90s")
        self.assert_mentions(self.berth("run", "a", "--name", code=2).err, "--name NAME")
        self.assertEqual(self.fake.seen, [])

    def test_versions(self):
        self.assertRegex(self.berth("--version").out, r"^berth \d")
        told = self.berth("version", "-o", "json").json
        self.assertEqual((told["berthd"], told["cluster"]), ("9.9", "straw"))


class ExitCodeTest(cases.CliTest):
    def test_each_kind_of_failure_has_its_code(self):
        self.fake.add_blueprint("demo")
        self.fake.add_host("rack1")
        self.berth("show", "i-0000000000009", code=3)
        self.berth("run", "nothing", code=3)
        self.berth("host", "activate", "rack1", code=5)
        self.env["BERTH_TOKEN"] = "wrong"
        self.berth("ps", code=4)
        self.fake.close()
        self.assert_mentions(self.berth("ps", code=6).err, "cannot reach", self.fake.url)

    def test_a_quota_is_not_allowed(self):
        self.fake.add_blueprint("quota")
        self.assert_mentions(self.berth("run", "quota", code=4).err, "ann has 2 of 2")

    def test_a_full_disk_behind_the_output_is_told(self):
        self.fake.add_instance()
        with open("/dev/full", "wb") as full:
            process = subprocess.run([cases.program(), "ps"], env=self.env, stdout=full, stderr=subprocess.PIPE,
                                     check=False)
        self.assertEqual(process.returncode, 1)
        self.assertIn(b"No space left", process.stderr)

    def test_a_reader_that_has_seen_enough_is_no_failure(self):
        self.fake.add_instance()
        reader, writer = os.pipe()
        os.close(reader)
        process = subprocess.run([cases.program(), "ps"], env=self.env, stdout=writer, stderr=subprocess.PIPE,
                                 check=False)
        os.close(writer)
        self.assertEqual((process.returncode, process.stderr), (0, b""))


class TargetTest(cases.CliTest):
    def setUp(self):
        super().setUp()
        self.url = self.env.pop("BERTH_URL")
        self.env.pop("BERTH_TOKEN")

    def other(self):
        other = fake.Fake()
        self.addCleanup(other.close)
        return other

    def test_the_address_comes_from_flag_environment_context_in_this_order(self):
        by_env, by_context = self.other(), self.other()
        self.berth("context", "set", "office", "--url", by_context.url, "--token", fake.TOKEN)
        self.berth("ps")
        self.env["BERTH_URL"] = by_env.url
        self.env["BERTH_TOKEN"] = fake.TOKEN
        self.berth("ps")
        self.berth("ps", "--url", self.url)
        self.assertEqual([len(d.seen) for d in (by_context, by_env, self.fake)], [1, 1, 1])
        self.berth("ps", "--context", "office")
        self.assertEqual(len(by_context.seen), 2)

    def test_the_token_comes_from_flag_environment_file_context_in_this_order(self):
        def shown():
            return self.fake.seen[-1]["headers"].get("authorization")
        self.berth("context", "set", "here", "--url", self.url, "--token", "of-context")
        self.berth("ps", code=4)
        self.assertEqual(shown(), "Bearer of-context")
        self.env["BERTH_TOKEN_FILE"] = self.file("token", "of-file\n")
        self.berth("ps", code=4)
        self.assertEqual(shown(), "Bearer of-file")
        self.env["BERTH_TOKEN"] = "of-environment"
        self.berth("ps", code=4)
        self.assertEqual(shown(), "Bearer of-environment")
        self.berth("ps", "--token", fake.TOKEN)
        self.assertEqual(shown(), "Bearer " + fake.TOKEN)

    def test_a_contexts_token_is_not_shown_to_another_daemon(self):
        self.berth("context", "set", "here", "--url", "http://127.0.0.1:9", "--token", fake.TOKEN)
        self.berth("ps", "--url", self.url, code=4)
        self.assertNotIn("authorization", self.fake.seen[-1]["headers"])

    def test_an_admin_token_of_this_machine_is_found_with_its_socket(self):
        self.env["XDG_DATA_HOME"] = self.home
        os.mkdir(os.path.join(self.home, "berth"))
        daemon = fake.Fake(os.path.join(self.home, "berth", "berthd.sock"))
        self.addCleanup(daemon.close)
        self.file("berth/admin.token", fake.TOKEN + "\n")
        if os.path.exists("/var/lib/berth/berthd.sock"):
            self.skipTest("a daemon of the system comes first")
        self.berth("ps")
        self.assertEqual(len(daemon.seen), 1)

    def test_a_token_file_that_others_read_is_refused(self):
        self.env["BERTH_TOKEN_FILE"] = self.file("token", fake.TOKEN, mode=0o644)
        self.assert_mentions(self.berth("ps", "--url", self.url, code=4).err, "chmod")
        self.env["BERTH_TOKEN_FILE"] = os.path.join(self.home, "none")
        self.berth("ps", "--url", self.url, code=3)

    def test_contexts_are_kept_listed_and_forgotten(self):
        self.berth("context", "set", "a", "--url", "http://127.0.0.1:1")
        self.berth("context", "set", "b", "--url", "unix:/run/b.sock", "--token-stdin", stdin=fake.TOKEN + "\n")
        path = pathlib.Path(self.home, ".config/berth/contexts.yaml")
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        rows = {r["name"]: r for r in self.berth("context", "ls", "-o", "json").json}
        self.assertEqual([rows["a"]["current"], rows["b"]["current"]], ["*", ""])
        self.assertNotIn(fake.TOKEN, self.berth("context", "ls", "-o", "json").out)
        self.berth("context", "use", "b")
        self.berth("context", "rm", "a")
        self.assertEqual(self.berth("context", "ls", "-q").out, "b\n")
        self.berth("context", "use", "a", code=3)
        path.chmod(0o644)
        self.berth("context", "ls", code=4)

    def test_a_broken_context_file_is_named_with_its_line(self):
        os.makedirs(os.path.join(self.home, ".config/berth"))
        self.file(".config/berth/contexts.yaml", "contexts:\n  - [\n")
        self.assert_mentions(self.berth("ps", code=2).err, "contexts.yaml:")

    def test_addresses_that_make_no_sense(self):
        for url in ("ftp://x", "http://user:pass@127.0.0.1", "unix:relative"):
            self.berth("ps", "--url", url, code=2)

    def test_unix_socket(self):
        daemon = fake.Fake(os.path.join(self.home, "d.sock"))
        self.addCleanup(daemon.close)
        self.berth("ps", "--url", daemon.url, "--token", fake.TOKEN)
        self.assert_mentions(self.berth("ps", "--url", "unix:" + self.home + "/none.sock", code=6).err, "No such file")


class SecretTest(cases.CliTest):
    def test_debug_tells_requests_but_no_token(self):
        self.fake.add_blueprint("demo")
        shown = self.berth("run", "demo", "--debug", "--token", fake.TOKEN)
        self.assert_mentions(shown.err, "POST", "/v1/instances", "202", "req-42")
        self.assertNotIn(fake.TOKEN, shown.out + shown.err)

    def test_a_token_on_the_command_line_is_wiped_from_the_list_of_processes(self):
        self.fake.fault(fake.HANG, "GET", "/v1/instances")
        process = self.start("ps", "--token", fake.TOKEN, "--timeout", "30s")
        try:
            def line():
                return pathlib.Path(f"/proc/{process.pid}/cmdline").read_bytes()
            while not self.fake.asked("GET", "/v1/instances"):
                self.assertIsNone(process.poll())
            self.assertNotIn(fake.TOKEN.encode(), line())
            self.assertIn(b"--token", line())
        finally:
            process.kill()
            process.communicate()


if __name__ == "__main__":
    unittest.main()
