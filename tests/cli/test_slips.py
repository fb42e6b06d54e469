"""What somebody is told who has mistyped."""

import unittest

from . import cases


class SlipTest(cases.CliTest):
    def test_a_new_one_is_told(self):
        self.fake.add_pool()
        told = self.berth("pool", "set", "defualt", "max_hosts=3", "--dry-run").err
        self.assertNotIn("is new", told)
        self.assert_mentions(self.berth("pool", "set", "rack", "max_hosts=3").err, "pool rack is new", "berth host add NAME --pool rack")
        self.assertNotIn("is new", self.berth("pool", "set", "default", "max_hosts=3").err)

    def test_where_names_are_found(self):
        self.assert_mentions(self.berth("pool", "show", "nope", code=3).err, "there is no pool nope", "'berth pool ls'")
        self.assert_mentions(self.berth("host", "show", "nope", code=3).err, "there is no host nope", "'berth host ls'")
        self.assert_mentions(self.berth("host", "ls", "--pool", "x", code=2).err, "has no flag --pool: --filter pool=VALUE")


if __name__ == "__main__":
    unittest.main()
