"""What is done by SSH to machines that are reached by their public addresses: one reboots while it is prepared, one never
answers, at the address of another somebody else does; certificates are renewed, playbooks run again, hosts replaced, and the
configuration changes meanwhile. One cloud and one daemon for all of it: each part begins where the one before it ended.
"""

import contextlib
import copy
import http.client
import json
import os
import pathlib
import shutil
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.cloud import peer
from tests.cloud.bare import new_key
from tests.real import cases, daemon
from tests.real.elastic import PREPARE_S, TYPES, Elastic, machines_settings, why_not
from tests.real.impostor import Impostor, next_address, nobody_answers
from tests.real.wait import wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
BEFORE = "    - name: Make folders for configuration\n"  # after the host key was replaced
GATE = """    - name: Wait for the test
      shell: until [ -e /var/tmp/go ]; do sleep 0.2; done
      timeout: 120

"""
MARK = """    - name: Leave a mark
      shell: touch /var/tmp/{0}
      args:
        creates: /var/tmp/{0}

"""
ONCE = {"min_hosts": 1, "max_hosts": 1, "launches_per_hour": 1}
AWAY_MS = 7200 * 1000
UNPREPARED = "berth-unprepared.service"
MINUTES = "cat /var/lib/berth-unprepared"
REASON_S = 60


def only(world, pool="default"):
    """The host of a pool that never has another one."""
    host, = [h for h in world.daemon.items("hosts") if h["pool"] == pool]
    return host


def hours_pass(world, host, **stamps):
    """The daemon was away, and these times of a host's machine are so far from when it comes back."""
    world.daemon.stop()
    now_ms = int(time.time() * 1000)
    rows = sqlite3.connect(os.path.join(world.daemon.data, "berth.db"))
    for stamp, from_now_ms in stamps.items():
        change = f"UPDATE hosts SET machine = json_set(machine, '$.{stamp}', ?) WHERE name = ?"
        if rows.execute(change, (now_ms + from_now_ms, host["name"])).rowcount != 1:
            raise AssertionError(f"{host['name']} has no row")
    rows.commit()
    rows.close()
    world.daemon.start()


class UpkeepTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="berth-upkeep-"))
        self.addCleanup(shutil.rmtree, self.folder)
        shutil.copytree(ROOT / "playbooks", self.folder, dirs_exist_ok=True)
        self.playbook = self.folder / "docker-host.yml"
        self.stock = self.playbook.read_text()
        self.bring(GATE)
        pool = {"machine_types": TYPES[:1], "address": "public", "playbook": str(self.playbook)}
        machines = {**machines_settings(), "packages": ["docker.io"]}
        self.world = Elastic(policy={"min_hosts": 1, "max_hosts": 2, "consolidate": False, "retire_deadline_s": 1,
                                     "prepare_attempts": 50}, pool=pool, machines=machines)
        self.addCleanup(self.world.close)
        self.daemon = self.world.daemon
        self.quiet = Elastic(policy=ONCE, pool=pool, machines=machines)
        self.addCleanup(self.quiet.close)
        self.silence, self.elsewhere = contextlib.ExitStack(), contextlib.ExitStack()
        self.addCleanup(self.silence.close)
        self.addCleanup(self.elsewhere.close)

    def test_upkeep(self):
        for part in (self.begin, self.false_machine, self.reboot, self.serve, self.renew, self.run_again, self.reload,
                     self.replace, self.end, self.dead_man, self.silent_machine):
            begun = time.monotonic()
            part()
            print(f"{part.__name__} ({time.monotonic() - begun:.1f} s): {part.__doc__}", flush=True)

    # --- The parts ---

    def begin(self):
        """Three machines: one to serve, one at whose address somebody else answers, and in a cloud of its own a silent one."""
        self.silence.enter_context(nobody_answers(self.quiet, next_address(self.quiet)))
        self.quiet.start()
        self.world.start()
        self.await_launched(1)
        private, _ = new_key(self.folder / "false")
        self.user_key = pathlib.Path(self.daemon.data, "keys/ssh_key.pub").read_text()
        self.somebody = Impostor(self.world, next_address(self.world), private, self.user_key)
        self.elsewhere.enter_context(self.somebody)
        self.daemon.config["pools"]["false"] = {**copy.deepcopy(self.world.pool), "policy": dict(ONCE)}
        self.daemon.reload()
        self.await_launched(2)
        wait_for(lambda: "Connect to" in (only(self.quiet)["waiting_for"] or ""), self.quiet.story, REASON_S)
        hours_pass(self.quiet, only(self.quiet), stage_at_ms=-AWAY_MS)

    def false_machine(self):
        """Nothing is said to somebody else at the very first connection; the machine is given back, and it is told why."""
        host = self.await_given_up(self.world, "false")
        self.assertIn("another machine answers: its host key SHA256:", host["reason"])
        self.assert_met_in_vain(self.somebody)
        self.elsewhere.close()

    def reboot(self):
        """A machine reboots in the middle. It has its dead man again, it is not taken for somebody who knows its user data, and
        with that its first host key, and the preparation goes on where it was."""
        host = self.at_gate()
        outside = self.world.cloud.machines.network.outside
        self.assertTrue(host["address"].startswith(outside), "it is reached by its public address")
        self.assertEqual(self.world.ssh(host, f"systemctl is-active {UNPREPARED}; {MINUTES}"), "active\n1")
        planted = json.loads(self.user_data().partition("\n")[2])["ssh_keys"]["ed25519_private"]
        self.world.ssh(host, "systemctl --no-block reboot", check=False)
        with Impostor(self.world, host["address"], planted, self.user_key) as somebody:
            wait_for(lambda: any("another machine answers" in e["text"] for e in self.daemon.items(
                "events", kind="host.prepare_failed", host=host["id"])), self.world.story, PREPARE_S)
            self.assert_met_in_vain(somebody)
            self.world.ssh(host, "true", check=False)
            wait_for(somebody.was_spoken_to, "he would have written it down")
        wait_for(lambda: self.world.ssh(host, f"systemctl is-active {UNPREPARED} && [ $({MINUTES}) -gt 1 ]", check=False),
                 lambda: f"{host['name']} has booted again, and counts on\n{self.world.story()}", PREPARE_S)
        self.at_gate(2)
        self.world.ssh(host, "touch /var/tmp/go")
        self.host, = self.world.await_hosts(1)
        steps = [s for s in self.steps(self.host) if s["run"] > 1 and s["name"] not in ("Connect to the machine", "connection")]
        self.assertEqual(steps[0]["name"], "Wait for the test", "what follows begins where the first run ended")
        wait_for(lambda: self.world.ssh(host, "pgrep -f lib/berth/[u]nprepared", check=False) is None, "nobody counts any more")
        self.assertEqual(self.world.ssh(host, f"systemctl is-enabled {UNPREPARED} || systemctl is-active berth-deadman.timer"),
                         "masked\nactive")

    def serve(self):
        """A container that is to live through all that follows, by the host's public address."""
        self.world.load_image()
        self.world.blueprint("web", restart={"policy": "always"})
        self.one = self.daemon.run("web")["id"]
        self.daemon.await_running(self.one, deadline_s=60)
        self.assertEqual(self.daemon.instance(self.one)["ports"][0]["host_address"], self.host["address"])
        self.assert_serves()
        self.process = self.look()["State"]

    def renew(self):
        """A certificate is renewed before its end; the engine shows the new one, and its containers have seen nothing."""
        before = self.certificate()
        hours_pass(self.world, self.host, certificate_at_ms=-10 * AWAY_MS, certificate_ends_at_ms=AWAY_MS)
        self.await_events("host.certificate_renewed")
        self.assertNotEqual(self.certificate(), before)
        self.assert_lives()
        self.assert_not_blamed()

    def run_again(self):
        """A changed playbook is told; with `rerun` it is run while the host serves."""
        self.bring(MARK.format("second"))
        self.reload_well()
        self.assertIn(self.host["name"], self.berth("pool", "drift", "default"))
        self.assertEqual(self.daemon.items("events", kind="host.playbook"), [], "nobody has asked for more")
        self.world.pool["policy"]["playbook_drift"] = "rerun"
        self.reload_well()
        self.await_events("host.playbook_done")
        self.world.ssh(self.host, "test -e /var/tmp/second")
        self.assertNotIn(self.host["name"], self.berth("pool", "drift", "default"))
        self.assert_lives()
        self.assert_not_blamed()

    def reload(self):
        """A broken file or playbook is refused and the old one stays in force; a good one changes the next launch and no host."""
        old = self.daemon.call("GET", "/v1/pools/default")
        good = copy.deepcopy(self.world.pool)
        self.world.pool["policy"].update(max_hosts=7, playbook_drift="ignore")
        self.world.pool["machine_types"] = [{**TYPES[1], "price_per_hour": "cheap"}]
        self.refused("/pools/default/machine_types/0/price_per_hour")
        self.world.pool["machine_types"] = good["machine_types"]
        playbook = self.playbook.read_text()
        self.playbook.write_text(playbook + "    - name: [\n")
        self.refused("/pools/default/playbook: docker-host.yml:")
        self.playbook.write_text(playbook)
        self.assertNotIn(self.host["name"], self.berth("pool", "drift", "default"))
        self.assertEqual(self.settings(self.daemon.call("GET", "/v1/pools/default")), self.settings(old))

        subnet = self.world.cloud.catalog.default_subnet(self.world.cloud.catalog.zones[-1])["id"]
        self.world.pool.update(good, machine_types=TYPES[1:], subnets=[subnet])
        self.reload_well()
        self.assertNotEqual(self.world.machine(self.host).subnet, subnet)
        self.assertEqual([h["machine_type"] for h in self.world.hosts("active")], ["t3.small"])
        self.assert_lives()

    def replace(self):
        """With `replace` a host of an older playbook makes way for another one, of the new file's types and in its subnet."""
        self.bring(MARK.format("third"))
        self.world.pool["policy"]["playbook_drift"] = "replace"
        self.reload_well()
        wait_for(lambda: self.daemon.hosts()[self.host["name"]]["state"] == "removed",
                 lambda: f"it is replaced\n{self.world.story()}", PREPARE_S)
        self.host, = self.world.await_hosts(1)
        machine = self.world.machine(self.host)
        self.assertEqual((machine.kind, machine.subnet), ("t3.medium", self.world.pool["subnets"][0]))
        self.world.ssh(self.host, "test -e /var/tmp/third")
        self.daemon.await_running(self.one, deadline_s=60)
        self.assertEqual(self.daemon.instance(self.one)["host"], self.host["id"])
        self.assert_serves()

    def end(self):
        """All is given back."""
        self.world.assert_one_machine_each()
        self.world.empty()

    def dead_man(self):
        """A machine that nobody prepares ends itself when it has been awake for an hour in all."""
        with contextlib.closing(peer.client(self.world.server.url)) as ec2:
            one = ec2.run_instances(ImageId="ami-0deb1200000000002", InstanceType="t3.nano", MinCount=1, MaxCount=1,
                                    UserData=self.user_data(), InstanceInitiatedShutdownBehavior="terminate")["Instances"][0]
        stranger = {"name": "a stranger", "address": one["PrivateIpAddress"]}
        wait_for(lambda: self.world.ssh(stranger, MINUTES, check=False) == "1", "it counts", PREPARE_S)
        self.assertIn(one["InstanceId"], self.world.ledger()["alive"])
        last = f"systemctl --no-block stop {UNPREPARED}; echo 59 >/var/lib/berth-unprepared; systemctl --no-block reboot"
        self.world.ssh(stranger, last, check=False)
        wait_for(lambda: self.world.ssh(stranger, MINUTES, check=False) == "60", "its last minute has begun", PREPARE_S)
        self.world.ssh(stranger, f"systemctl --no-block restart {UNPREPARED}", check=False)
        self.world.await_machines(0)

    def silent_machine(self):
        """A machine that lets nobody in costs so much and no more, and it is told what it waited for."""
        host = self.await_given_up(self.quiet, "default")
        self.assertIn("its preparation took too long", host["reason"])
        self.assertIn("Connect to the machine", host["reason"])
        row, = [r for r in self.quiet.ledger()["machines"] if r["id"] == host["machine_id"]]
        self.assertEqual(row["reason"], "Client.UserInitiatedShutdown")
        self.assertEqual(self.quiet.ledger()["launched"], 1)
        self.assertLess(row["usd"], TYPES[0]["price_per_hour"] * PREPARE_S / 3600)

    # --- What they share ---

    def bring(self, step):
        self.playbook.write_text(self.stock.replace(BEFORE, step + BEFORE))

    def await_launched(self, count):
        wait_for(lambda: self.world.ledger()["launched"] == count, lambda: f"{count} launched\n{self.world.story()}", REASON_S)

    def user_data(self):
        """Of the first machine; those of all others are alike."""
        return next(iter(self.world.cloud.instances.values())).user_data.decode()

    def at_gate(self, run=1):
        """The host once that run, or a later one, has reached the step that waits."""
        def reached():
            host = only(self.world, "default")
            return host["state"] == "spawned" and any(
                s["run"] >= run and s["name"] == "Wait for the test" for s in self.steps(host)) and host
        return wait_for(reached, lambda: f"run {run} is at the gate\n{self.world.story()}", PREPARE_S)

    def steps(self, host):
        return self.daemon.call("GET", f"/v1/hosts/{host['id']}/log?limit=1000")["items"]

    def await_given_up(self, world, pool):
        """The pool's only host, once its machine has ended and it is removed."""
        wait_for(lambda: only(world, pool)["state"] == "removed", lambda: f"it is given up\n{world.story()}", PREPARE_S)
        self.assertNotIn(only(world, pool)["machine_id"], world.ledger()["alive"])
        return only(world, pool)

    def assert_met_in_vain(self, somebody):
        wait_for(somebody.was_met, somebody.text)
        self.assertFalse(somebody.was_spoken_to(), somebody.text())

    def await_events(self, kind):
        return wait_for(lambda: self.daemon.items("events", kind=kind, host=self.host["id"]),
                        lambda: f"{kind}\n{self.world.story()}", PREPARE_S)

    def reload_well(self):
        before = self.daemon.log_text().count("reloaded")
        self.daemon.reload()
        wait_for(lambda: self.daemon.log_text().count("reloaded") > before,
                 lambda: f"the file is read\n{self.daemon.log_tail()}", REASON_S)

    def refused(self, words):
        """The file as it is now, for that reason."""
        self.daemon.reload()
        wait_for(lambda: any("the old configuration stays in force" in line and words in line
                             for line in self.daemon.log_text().splitlines()),
                 lambda: f"it is refused for {words}\n{self.daemon.log_tail()}", REASON_S)

    def settings(self, pool):
        return {name: pool[name] for name in ("policy", "machine_types") if name in pool}

    def berth(self, *words):
        home = {"HOME": str(self.folder), "PATH": os.environ["PATH"], "BERTH_URL": self.daemon.url,
                "BERTH_TOKEN_FILE": os.path.join(self.daemon.data, "admin.token")}
        return subprocess.run([daemon.program("berth"), *words], env=home, check=True, capture_output=True, text=True,
                              timeout=60).stdout

    def tls(self):
        keys = pathlib.Path(self.daemon.data) / "keys/pools/default"
        context = ssl.create_default_context(cafile=str(keys / "ca.pem"))
        context.load_cert_chain(keys / "client.pem")
        return context

    def engine(self):
        return http.client.HTTPSConnection(self.host["address"], 2376, timeout=20, context=self.tls())

    def certificate(self):
        """The one that the engine shows, DER; it is the pool's, and names the address."""
        connection = self.engine()
        try:
            connection.connect()
            return connection.sock.getpeercert(binary_form=True)
        finally:
            connection.close()

    def look(self):
        """The container as its engine tells of it."""
        connection = self.engine()
        try:
            connection.request("GET", f"/containers/berth-{self.one}-1/json")
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def assert_not_blamed(self):
        """That its engine was restarted is told as no fault of the host's, and nobody takes its place."""
        for kind in ("host.fault", "host.suspended"):
            self.assertEqual(self.daemon.items("events", kind=kind, host=self.host["id"]), [])
        self.assertEqual(self.world.ledger()["launched"], 2)

    def assert_serves(self):
        self.assertEqual(self.world.answer(self.one), b"sample answers\n")

    def assert_lives(self):
        """It is the same process as ever, and serves."""
        now = self.look()["State"]
        self.assertEqual([(s["Status"], s["Pid"], s["StartedAt"]) for s in (now, self.process)],
                         [("running", self.process["Pid"], self.process["StartedAt"])] * 2)
        self.assert_serves()


if __name__ == "__main__":
    cases.main(why_not())
