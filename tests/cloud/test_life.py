"""From launch to the grave: states in time, lists and pages, what is charged, and the ways a machine ends."""

import unittest

from tests.cloud import peer
from tests.cloud.ledger import ledger, table
from tests.cloud.peer import by, tags

SPOT = {"MarketType": "spot"}


class Life(peer.Case):
    def test_states_in_time(self):
        self.serve(life={"visible_after_s": 0, "pending_s": 10, "shutdown_s": 5, "initializing_s": 20, "linger_s": 100})
        one, = self.run_instances()
        self.assertEqual(self.state(one), "pending")
        self.advance(9)
        self.assertEqual(self.state(one), "pending")
        self.assertEqual(self.ec2.describe_instance_status(InstanceIds=[one])["InstanceStatuses"], [])
        self.advance(1)
        self.assertEqual(self.state(one), "running")
        status = self.ec2.describe_instance_status()["InstanceStatuses"][0]
        self.assertEqual(status["SystemStatus"]["Status"], "initializing")
        self.advance(20)
        self.assertEqual(self.ec2.describe_instance_status()["InstanceStatuses"][0]["InstanceStatus"]["Status"], "ok")
        ended = self.ec2.terminate_instances(InstanceIds=[one])["TerminatingInstances"][0]
        self.assertEqual((ended["PreviousState"]["Name"], ended["CurrentState"]["Name"]), ("running", "shutting-down"))
        self.assertEqual(self.state(one), "shutting-down")
        self.advance(5)
        gone = self.one(one)
        self.assertEqual((gone["State"]["Name"], gone["StateReason"]["Code"]), ("terminated", "Client.UserInitiatedShutdown"))
        self.assertNotIn("PrivateIpAddress", gone)
        again = self.ec2.terminate_instances(InstanceIds=[one])["TerminatingInstances"][0]
        self.assertEqual(again["CurrentState"]["Name"], "terminated")
        self.advance(100)
        with self.refused("InvalidInstanceID.NotFound", 400):
            self.state(one)
        self.assertEqual(self.listed()[0], [])

    def test_not_found_just_after_launch(self):
        """By id an error, by tag nothing; the token finds it all the same."""
        self.serve(life={"visible_after_s": 3})
        one, = self.run_instances(ClientToken="a", TagSpecifications=tags(cluster="c"))
        for act in (self.ec2.describe_instances, self.ec2.terminate_instances):
            with self.refused("InvalidInstanceID.NotFound"):
                act(InstanceIds=[one])
        self.assertEqual(self.listed(Filters=by("tag:cluster", "c"))[0], [])
        self.assertEqual(self.run_instances(ClientToken="a", TagSpecifications=tags(cluster="c")), [one])
        self.advance(3)
        self.assertEqual(self.listed(Filters=by("tag:cluster", "c"))[0], [one])

    def test_termination_is_all_or_nothing(self):
        self.serve()
        good = self.run_instances(MinCount=2, MaxCount=2)
        with self.refused("InvalidInstanceID.NotFound") as caught:
            self.ec2.terminate_instances(InstanceIds=[*good, "i-00000000000000001"])
        self.assertIn("'i-00000000000000001' does not exist", str(caught.exception))
        with self.refused("InvalidInstanceID.Malformed"):
            self.ec2.terminate_instances(InstanceIds=[*good, "host-1"])
        self.cloud.instances[good[1]].protected = True
        with self.refused("OperationNotPermitted"):
            self.ec2.terminate_instances(InstanceIds=good)
        self.assertEqual([self.state(i) for i in good], ["pending", "pending"])

    def test_termination_takes_effect_later(self):
        self.serve(life={"visible_after_s": 0, "terminate_delay_s": 4})
        one, = self.run_instances()
        answer = self.ec2.terminate_instances(InstanceIds=[one])["TerminatingInstances"][0]
        self.assertEqual(answer["CurrentState"]["Name"], "shutting-down")
        self.assertEqual(self.state(one), "pending")
        self.advance(4)
        self.assertEqual(self.state(one), "shutting-down")

    def test_stop_and_start(self):
        """Stopped machines keep their address and volumes, cost no hours, and need room again."""
        self.serve(capacity={"t3.micro/*": 1})
        one, = self.run_instances()
        with self.refused("IncorrectInstanceState"):
            self.ec2.stop_instances(InstanceIds=[one])
        self.advance(2)
        address = self.one(one)["PrivateIpAddress"]
        self.ec2.stop_instances(InstanceIds=[one])
        self.assertEqual(self.state(one), "stopping")
        with self.refused("IncorrectInstanceState"):
            self.ec2.start_instances(InstanceIds=[one])
        self.advance(2)
        self.assertEqual(self.state(one), "stopped")
        other, = self.run_instances()
        with self.refused("InsufficientInstanceCapacity", 500):
            self.ec2.start_instances(InstanceIds=[one])
        self.ec2.terminate_instances(InstanceIds=[other])
        self.assertEqual(self.ec2.start_instances(InstanceIds=[one])["StartingInstances"][0]["CurrentState"]["Name"], "pending")
        self.advance(2)
        self.assertEqual((self.state(one), self.one(one)["PrivateIpAddress"]), ("running", address))
        spot, = self.run_instances(InstanceType="t3.small", InstanceMarketOptions=SPOT)
        self.advance(2)
        with self.refused("UnsupportedOperation"):
            self.ec2.stop_instances(InstanceIds=[spot])

    def test_poweroff_from_inside(self):
        self.serve()
        stops, = self.run_instances()
        ends, = self.run_instances(InstanceInitiatedShutdownBehavior="terminate")
        self.advance(2)
        for one in (stops, ends):
            self.cloud.ended_inside(self.cloud.instances[one], self.cloud.clock.now())
        self.advance(3)
        self.assertEqual([self.state(stops), self.state(ends)], ["stopped", "terminated"])
        self.assertEqual(self.one(ends)["StateReason"]["Code"], "Client.InstanceInitiatedShutdown")


class Lists(peer.Case):
    def test_every_kind_of_pages_gives_the_same(self):
        self.serve(limits={"vcpus": None})
        whole = [i for n in range(10) for i in self.run_instances(MinCount=3, MaxCount=3)]
        self.assertEqual(self.listed(), (whole, [30]))
        self.assertEqual(self.listed(MaxResults=7), (whole, [7, 7, 7, 7, 2]))
        for kind in ("short", "empty"):
            self.cloud.config["pages"]["kind"] = kind
            found, lengths = self.listed(MaxResults=7)
            self.assertEqual(found, whole, kind)
            self.assertIn(0, lengths)
            self.assertGreater(len(lengths), 5)
        self.cloud.config["pages"]["kind"] = "empty"
        self.assertEqual(self.listed()[0], whole)

    def test_what_ends_between_two_pages_moves_nothing(self):
        self.serve()
        whole = self.run_instances(MinCount=12, MaxCount=12)
        first = self.ec2.describe_instances(MaxResults=5)
        self.ec2.terminate_instances(InstanceIds=whole[:3])
        self.advance(4000)
        rest = self.ec2.describe_instances(MaxResults=10, NextToken=first["NextToken"])
        self.assertEqual([i["InstanceId"] for r in rest["Reservations"] for i in r["Instances"]], whole[5:])
        for asked in ({"Filters": by("tag:a", "b")}, {"NextToken": "nonsense"}):
            with self.refused("InvalidParameterValue", 400):
                self.ec2.describe_instances(**{"MaxResults": 5, "NextToken": first["NextToken"], **asked})

    def test_filters(self):
        self.serve()
        a = self.run_instances(ClientToken="one", TagSpecifications=tags(cluster="c1", pool="web"))
        b = self.run_instances(InstanceType="t3.small", TagSpecifications=tags(cluster="c2"))
        self.advance(2)
        c = self.run_instances()
        for asked, found in (
                (by("tag:cluster", "c1", "c2"), a + b), (by("tag:cluster", "c?"), a + b), (by("tag:cluster", "*1"), a),
                (by("tag-key", "pool"), a), (by("instance-state-name", "pending"), c), (by("client-token", "one"), a),
                (by("instance-state-name", "running", "pending"), a + b + c), (by("instance-type", "t3.s*"), b),
                (by("tag:cluster", "c*") + by("instance-type", "t3.micro"), a), (by("tag:cluster", "c[12]"), []),
                (by("tag:cluster", ""), [])):
            self.assertEqual(self.listed(Filters=asked)[0], found, asked)
        for wrong in (by("colour", "red"), by("tag:cluster")):
            with self.refused("InvalidParameterValue", 400):
                self.listed(Filters=wrong)
        with self.refused("InvalidParameterCombination", 400):
            self.ec2.describe_instances(InstanceIds=a, MaxResults=5)
        with self.refused("InvalidParameterValue", 400):
            self.ec2.describe_instances(MaxResults=4)


class Money(peer.Case):
    def usd(self):
        return ledger(self.cloud)["usd"]

    def test_seconds_and_a_minute_at_the_least(self):
        self.serve(volume_usd_per_gib_month=0)
        one, = self.run_instances()
        self.assertEqual(self.usd(), 0)
        self.advance(2)
        self.assertAlmostEqual(self.usd(), 60 * 0.012 / 3600, 6)
        self.advance(3600)
        self.assertAlmostEqual(self.usd(), 0.012, 6)
        self.ec2.stop_instances(InstanceIds=[one])
        self.advance(7200)
        self.ec2.start_instances(InstanceIds=[one])
        self.advance(12)
        self.ec2.terminate_instances(InstanceIds=[one])
        self.advance(7200)
        self.assertAlmostEqual(self.usd(), 0.012 + 60 * 0.012 / 3600, 6)

    def test_what_is_left_is_told(self):
        """A machine that lives, one launched without tags, and a volume that its machine's end leaves behind."""
        self.serve()
        data = {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 100}}
        gone, = self.run_instances(BlockDeviceMappings=[data], TagSpecifications=tags(cluster="c"))
        kept, = self.run_instances()
        self.ec2.terminate_instances(InstanceIds=[gone])
        self.advance(30 * 86400)
        book = ledger(self.cloud)
        self.assertEqual((book["alive"], book["untagged"], len(book["volumes_left"])), ([kept], [kept], 1))
        self.assertAlmostEqual(book["machines"][0]["usd"], 100 * 0.0952, 3)
        self.assertEqual(ledger(self.cloud, "cluster=c")["alive"], [])
        self.assertIn(f"ALIVE: {kept}", table(book))

    def test_spot(self):
        """Cheaper; the price is the one of the history; interrupted with notice, which its metadata service tells."""
        self.serve()
        one, = self.run_instances(InstanceMarketOptions=SPOT, TagSpecifications=tags("spot-instances-request", a="b"))
        self.assertNotIn("Tags", self.one(one))
        zone = self.one(one)["Placement"]["AvailabilityZone"]
        prices = self.ec2.describe_spot_price_history(InstanceTypes=["t3.micro"], AvailabilityZone=zone,
                                                      ProductDescriptions=["Linux/UNIX"])["SpotPriceHistory"]
        self.assertEqual(float(prices[0]["SpotPrice"]), self.cloud.instances[one].usd_per_hour)
        self.assertLess(float(prices[0]["SpotPrice"]), 0.012)
        self.assertEqual(len({p["InstanceType"] for p in prices}), 1)
        self.assertGreater(prices[0]["Timestamp"], prices[-1]["Timestamp"])
        self.advance(2)
        self.cloud.interrupt(self.cloud.instances[one], 120)
        def marked():
            found = self.ec2.describe_spot_instance_requests(Filters=by("status-code", "marked-for-termination") + by("tag:a", "b"))
            return [r["InstanceId"] for r in found["SpotInstanceRequests"]]
        self.assertEqual(marked(), [one])
        self.advance(119)
        self.assertEqual(self.state(one), "running")
        self.advance(1)
        self.assertEqual(self.one(one)["StateReason"]["Code"], "Server.SpotInstanceTermination")
        self.assertEqual(marked(), [])
        request, = self.ec2.describe_spot_instance_requests(Filters=by("instance-id", one))["SpotInstanceRequests"]
        self.assertEqual((request["State"], request["Status"]["Code"]), ("closed", "instance-terminated-no-capacity"))
        with self.refused("InvalidSpotInstanceRequestID.NotFound", 400):
            self.ec2.describe_spot_instance_requests(SpotInstanceRequestIds=["sir-00000000000000000"])


if __name__ == "__main__":
    unittest.main()
