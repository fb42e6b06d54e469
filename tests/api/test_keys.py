"""Hosts that are there and the keys that they were made with not: berthd does not start, changes nothing, and
says how to get them back or to give the hosts up."""

import os
import pathlib
import shutil
import signal
import sqlite3
import stat
import subprocess
import unittest

import world

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUbkbsUzoT0qc9xUhvFqHRVjPcbyWOdmGKDbKWBoA0m"


class Keys(unittest.TestCase):
    def setUp(self):
        self.world = world.World(engines=0)
        self.addCleanup(self.world.close)
        self.data = pathlib.Path(self.world.dir) / "data"
        self.keys = self.data / "keys"
        self.aside = pathlib.Path(self.world.dir) / "aside"
        # Nobody listens there: all that counts is that the row is there, with a machine.
        self.world.ok("POST", "/v1/hosts", {"pool": "default", "name": "bare", "ssh": "root@127.0.0.1:1", "host_key": KEY})

    def berthd(self, *words):
        """A start that comes to an end by itself: (status, what it says)."""
        done = subprocess.run([world.BERTHD, "--config", f"{self.world.dir}/berthd.yaml", *words], capture_output=True,
                              text=True, timeout=world.DEADLINE_S, check=False)
        return done.returncode, done.stdout + done.stderr

    def stop(self):
        self.world.stop(signal.SIGKILL)

    def refused(self, *says):
        status, text = self.berthd()
        self.assertEqual(status, 1, text)
        for words in ("cannot start", "--restore", "--new-keys", *says):
            self.assertIn(words, text)

    def sql(self, text, *values):
        with sqlite3.connect(self.data / "berth.db") as db:
            db.execute(text, values)
        db.close()

    def public_key(self):
        return self.world.get("/v1/ssh-key")["public_key"]

    def test_nothing_is_made_in_the_place_of_what_is_lost(self):
        before = self.public_key()
        self.stop()
        self.keys.rename(self.aside)
        for _ in range(2):  # a service manager tries again
            self.refused(f"{self.keys}/secret is missing, and 1 hosts")
        self.assertFalse(self.keys.exists())
        self.aside.rename(self.keys)
        self.world.start()
        self.assertEqual(self.public_key(), before)

    def test_the_loss_is_accepted_once(self):
        before = self.public_key()
        status, text = self.berthd("--new-keys")
        self.assertEqual(status, 1)
        self.assertIn("in use by another berthd", text)
        self.stop()
        shutil.rmtree(self.keys)
        status, text = self.berthd("--new-keys")
        self.assertEqual(status, 0, text)
        self.assertIn("pool default: 1 hosts", text)
        for path in self.keys.rglob("*"):
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o700 if path.is_dir() else 0o600, path)
        self.world.start()
        self.assertNotEqual(self.public_key(), before)
        self.world.restart()

    def test_an_authority_is_missed_where_engines_have_its_certificates(self):
        self.stop()
        pool = self.keys / "pools" / "default"
        shutil.rmtree(pool)
        self.sql("UPDATE hosts SET endpoint_ca = ?", str(pool / "ca.pem"))
        self.refused(f"{pool}/ca.pem is missing")
        self.assertFalse(pool.exists())
        self.assertEqual(self.berthd("--new-keys")[0], 0)
        self.world.start()

    def test_other_keys_are_told(self):
        """Whole ones, and not those that the hosts were made with."""
        self.stop()
        self.sql("UPDATE hosts SET machine = json_set(json_remove(machine, '$.ssh'), '$.id', 'i-0', '$.sealed', json('true'))")
        self.refused(f"{self.keys} are not the keys that the hosts in the database were made with")
        status, text = self.berthd("--new-keys")
        self.assertEqual(status, 0, text)
        self.assertIn("stays as it is", text)
        self.world.start()

    def test_a_backup_brings_the_keys_along(self):
        """Into a directory that is not there any more, and then over keys that are others."""
        before = self.public_key()
        backup = pathlib.Path(self.world.dir) / "backup.db"
        answer = self.world.ok("POST", "/v1/backups")
        backup.write_bytes(answer.body)
        self.assertEqual(list(self.data.glob("backup*")), [])
        self.stop()
        left = [self.data / name for name in ("backup-1-2.tmp", "backup-1-2.tmp-journal", "backup-mine.tmp")]
        for path in left:
            path.touch()
        self.world.start()
        self.assertEqual([path.exists() for path in left], [False, False, True])
        self.stop()
        secret = (self.keys / "secret").read_text()
        shutil.rmtree(self.data)
        status, text = self.berthd("--restore", str(backup))
        self.assertEqual(status, 0, text)
        self.assertIn("with the keys of its hosts", text)
        (self.data / "admin.token").write_text(self.world.admin)  # of tokens a backup has digests only
        self.world.start()
        self.assertEqual(self.public_key(), before)
        self.assertEqual([h["name"] for h in self.world.get("/v1/hosts")["items"]], ["bare"])
        self.stop()
        (self.keys / "secret").write_text(secret[::-1].strip() + "\n")
        self.assertEqual(self.berthd("--restore", str(backup))[0], 0)
        self.assertEqual((self.keys / "secret").read_text(), secret)
        self.assertEqual(len(list(self.data.glob("keys.before-restore-*"))), 1)

    def test_keys_that_are_no_more_whole_are_not_restored(self):
        backup = pathlib.Path(self.world.dir) / "backup.db"
        backup.write_bytes(self.world.ok("POST", "/v1/backups").body)
        self.stop()
        for path, says in (("secret", "keys.restoring/secret"), ("pools/default/ca.key", "take both from a backup")):
            with sqlite3.connect(backup) as db:
                kept, = db.execute("SELECT bytes FROM keyring WHERE path = ?", (path,)).fetchone()
                db.execute("UPDATE keyring SET bytes = ? WHERE path = ?", (kept[:20], path))
                db.commit()
                status, text = self.berthd("--restore", str(backup))
                db.execute("UPDATE keyring SET bytes = ? WHERE path = ?", (kept, path))
            db.close()
            self.assertEqual(status, 1, text)
            self.assertIn("damaged", text)
        self.assertEqual(list(self.data.glob("*restor*")), [])
        self.world.start()

    def test_a_backup_without_keys_says_what_it_needs(self):
        backup = pathlib.Path(self.world.dir) / "backup.db"
        backup.write_bytes(self.world.ok("POST", "/v1/backups").body)
        with sqlite3.connect(backup) as db:
            db.execute("DROP TABLE keyring")
        db.close()
        self.stop()
        self.keys.rename(self.aside)
        status, text = self.berthd("--restore", str(backup))
        self.assertEqual(status, 0, text)
        self.assertIn("put them there first", text)
        self.refused("secret is missing")
        self.aside.rename(self.keys)
        status, text = self.berthd("--restore", str(backup))
        self.assertIn("stays as it is\n", text)
        self.world.start()

    def test_one_thing_at_a_time(self):
        status, text = self.berthd("--new-keys", "--check-config")
        self.assertEqual(status, 2)
        self.assertIn("exclude each other", text)
        self.assertIn("--new-keys", subprocess.run([world.BERTHD, "--help"], capture_output=True, text=True, check=True).stdout)


if __name__ == "__main__":
    os.umask(0o077)
    unittest.main(verbosity=2)
