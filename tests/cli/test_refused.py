"""What a provider refuses, told to people."""

import unittest

from . import cases, rows


class RefusedTest(cases.CliTest):
    def test_what_a_provider_refuses(self):
        kinds = {"cloud_no_capacity": "more machine_types", "cloud_limit": "quota", "cloud_throttled": "passes by itself",
                 "cloud_denied": "docs/IAM.md", "cloud_refused": "systemctl reload berthd", "cloud_failed": "region and endpoint",
                 "cloud_unsure": "found again"}
        for kind, todo in kinds.items():
            pool = rows.pool_status("rent", refused=[rows.refused("launch", kind)], held=[{"hold": "cloud", "text": "lately"}])
            self.fake.status["pools"] = [pool]
            shown = " ".join(self.berth("status").out.split())
            self.assert_mentions(shown, "pool rent: the provider launches no machine, for 10m now (7 times in a row, last 5m ago): "
                                 "It is so: Code: in its words; it is asked again in 5m; ", "1 host waits for it; 3 requests wait for it", todo)
            self.assertNotIn("held back by cloud", shown)
        calls = {"list": "does not tell which machines there are", "terminate": "takes no machine back, so it still costs",
                 "stop": "stops no machine", "start": "starts no machine"}
        for call, what in calls.items():
            pool["refused"] = [rows.refused(call, "cloud_failed", next_at=None, waiting=0, hosts=0, times=1)]
            shown = " ".join(self.berth("status").out.split())
            self.assert_mentions(shown, what, "words; it is asked again when the pool is to grow")
            self.assertNotIn("for it", shown)
        pool["refused"] = [rows.refused("launch", "cloud_limit")]
        self.assertEqual(self.berth("status", "-o", "json").json["wrong"][0]["kind"], "refused")

    def test_plan_tells_what_is_refused(self):
        self.fake.add_pool("rent")
        self.fake.plan["refused"] = [rows.refused("launch", "cloud_limit")]
        self.assert_mentions(self.berth("pool", "plan", "rent").out, "pool rent: the provider launches no machine", "for 10m now",
                             "have the account's quota raised", "berth pool set rent max_hosts=N")

    def test_explain_leads_there(self):
        waiting = self.fake.add_instance("queued")
        self.fake.streams[f"/v1/instances/{waiting['id']}/explain"] = {
            "instance": waiting["id"], "decision": None, "now": {}, "growth": {
                "pool": "rent", "coming": 1, "held": [{"hold": "max_hosts", "text": "3 of 3"}],
                "refused": [rows.refused("launch", "cloud_denied")]}}
        told = self.berth("explain", waiting["id"])
        self.assert_mentions(told.out, "berth pool set rent max_hosts=N", "docs/IAM.md", "Code: in its words", "times: 7")


if __name__ == "__main__":
    unittest.main()
