"""Machines that are given by ssh: what is refused, and what a daemon that prepares none says."""

import unittest

import world

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUbkbsUzoT0qc9xUhvFqHRVjPcbyWOdmGKDbKWBoA0m"


class Given(world.Case):
    def add(self, **body):
        return self.world.call("POST", "/v1/hosts", {"pool": "default", "name": "bare", **body})

    def test_what_is_wrong_is_named(self):
        engine = {"engine": "unix:///run/none.sock"}
        for body, pointer, word in (
                ({}, "/engine", "either engine"), ({**engine, "ssh": "root@a", "host_key": KEY}, "/engine", "either engine"),
                ({"ssh": "root@a"}, "/host_key", "ssh-keyscan -t ed25519"), ({**engine, "host_key": KEY}, "/host_key", "together"),
                ({"ssh": "root", "host_key": KEY}, "/ssh", "user@address"), ({"ssh": "root@a:0", "host_key": KEY}, "/ssh", "port"),
                ({"ssh": "root@a", "host_key": "ssh-ed25519 AAAA"}, "/host_key", "whole ed25519 key"),
                ({"ssh": "root@a", "host_key": "ssh-rsa AAAAB3NzaC1yc2E="}, "/host_key", "no other kind is verified"),
                ({"ssh": "root@a", "host_key": "ecdsa-sha2-nistp256 AAAA"}, "/host_key", "no other kind is verified"),
                ({"ssh": "root@a", "host_key": KEY, "plain": True}, "/ssh", "of an engine")):
            problem = self.problem(self.add(**body), 400, "invalid_request")
            self.assertEqual(problem["errors"][0]["pointer"], pointer, body)
            self.assertIn(word, problem["errors"][0]["detail"])
        self.assertEqual([h["name"] for h in self.world.get("/v1/hosts")["items"]], ["h0"])

    def test_no_machine_no_drift(self):
        drift = self.world.get("/v1/pools/default/drift")
        self.assertEqual((drift["pool"], drift["playbook_drift"], drift["hosts"], drift["items"]), ("default", "ignore", 0, []))
        self.problem(self.world.call("GET", "/v1/pools/none/drift"), 404, "not_found")

    def test_the_key(self):
        key = self.world.get("/v1/ssh-key")["public_key"]
        if key is None:
            self.problem(self.add(ssh="root@127.0.0.1:1", host_key=KEY), 409, "conflict")
        else:
            self.assertRegex(key, "^ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI")
        user = self.world.token("ann", "user")
        self.problem(self.world.call("GET", "/v1/ssh-key", token=user), 403, "forbidden")


if __name__ == "__main__":
    unittest.main(verbosity=2)
