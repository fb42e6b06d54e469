"""berth inventory: the hosts for Ansible, as Ansible itself reads them."""

import json
import os
import shutil
import subprocess
import unittest

from . import cases

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0Yq"


class InventoryTest(cases.CliTest):
    def setUp(self):
        super().setUp()
        self.fake.add_host("rack1", labels={"team": "blue", "gpu-kind": "a/100"},
                           ssh={"user": "root", "port": 2222, "host_key": KEY})
        self.fake.add_host("rent-4", pool="rent", provider="ec2", address="10.0.0.9", machine_type="t3.large", ssh=None,
                           labels={})
        self.fake.add_host("rack1", pool="other", address="10.0.0.7", state="spawned", labels={}, ssh=None)
        self.fake.add_host("here", provider="local", address="127.0.0.1", pool="desk", labels={}, ssh=None)
        self.fake.add_host("coming", provider="ec2", pool="rent", address=None, state="spawned", ssh=None)
        self.fake.add_host("gone", state="removed", ssh=None)

    def groups(self, inventory):
        return {name: group["hosts"] for name, group in inventory.items() if name != "_meta"}

    def test_groups_and_variables(self):
        inventory = self.berth("inventory", "--list").json
        self.assertEqual(inventory, self.berth("inventory").json)
        self.assertEqual(self.groups(inventory), {
            "berth": ["rack1", "rent-4", "rack1.other", "here"], "pool_default": ["rack1"], "pool_rent": ["rent-4"],
            "pool_other": ["rack1.other"], "pool_desk": ["here"], "state_active": ["rack1", "rent-4", "here"],
            "state_spawned": ["rack1.other"], "type_t3_large": ["rent-4"], "label_team_blue": ["rack1"],
            "label_gpu_kind_a_100": ["rack1"]})
        rack = inventory["_meta"]["hostvars"]["rack1"]
        self.assertEqual((rack["ansible_host"], rack["ansible_user"], rack["ansible_port"]), ("10.0.0.5", "root", 2222))
        self.assertEqual(rack["berth_known_hosts"], f"[10.0.0.5]:2222 {KEY}")
        self.assertEqual((rack["berth_pool"], rack["berth_labels"]["team"]), ("default", "blue"))
        self.assertNotIn("ansible_user", inventory["_meta"]["hostvars"]["rent-4"])
        self.assertEqual(inventory["_meta"]["hostvars"]["here"]["ansible_connection"], "local")

    def test_one_host_one_pool_another_user(self):
        self.assertEqual(self.berth("inventory", "--host", "rack1").json,
                         self.berth("inventory").json["_meta"]["hostvars"]["rack1"])
        self.berth("inventory", "--host", "coming", code=3)
        self.assertEqual(self.groups(self.berth("inventory", "--pool", "rent").json)["berth"], ["rent-4"])
        hostvars = self.berth("inventory", "--user", "admin").json["_meta"]["hostvars"]
        self.assertEqual({v.get("ansible_user") for v in hostvars.values()}, {"admin", None})

    def test_no_such_pool(self):
        self.assert_mentions(self.berth("inventory", "--pool", "nope", code=3).err, "there is no pool nope")

    def test_no_hosts(self):
        self.fake.rows["hosts"].clear()
        self.assertEqual(self.berth("inventory").json, {"_meta": {"hostvars": {}}, "berth": {"hosts": []}})

    @unittest.skipUnless(shutil.which("ansible-inventory"), "no Ansible (package ansible-core)")
    def test_ansible_reads_it(self):
        script = self.file("berth.sh", f'#!/bin/sh\nexec {cases.program()} inventory --user admin "$@"\n', mode=0o700)
        env = {**self.env, "ANSIBLE_LOCAL_TEMP": os.path.join(self.home, "ansible"), "ANSIBLE_INVENTORY_UNPARSED_FAILED": "1"}
        read = subprocess.run(["ansible-inventory", "-i", script, "--list"], env=env, capture_output=True, text=True,
                              timeout=cases.DEADLINE_S, check=False)
        self.assertEqual(read.returncode, 0, read.stderr)
        self.assertNotIn("WARNING", read.stderr)
        inventory = json.loads(read.stdout)
        self.assertEqual(inventory["pool_rent"]["hosts"], ["rent-4"])
        self.assertEqual(inventory["label_gpu_kind_a_100"]["hosts"], ["rack1"])
        self.assertEqual(inventory["_meta"]["hostvars"]["rent-4"]["ansible_user"], "admin")


if __name__ == "__main__":
    unittest.main()
