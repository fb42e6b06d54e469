"""Whose keys are found: Berth's provider and botocore, in the same environment with the same files, agree.

The C program is tests/unit/cloud/test_found.c.
"""

import http.server
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import unittest
import unittest.mock

import botocore.exceptions
import botocore.session

from tests.cloud import config
from tests.cloud.server import Server

PROGRAM = pathlib.Path(os.environ.get("BERTHD", "build/debug/berthd")).parent / "cloud_test_found"
ROLE = "arn:aws:iam::123456789012:role/"
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "env-secret"}
CONTAINER = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "CONTAINER"}


def keys(name):
    return f"aws_access_key_id = AKIA{name.upper()}\naws_secret_access_key = {name}-secret\n"


def role(name, source):
    return f"role_arn = {ROLE}{name}\nsource_profile = {source}\n"


# What it is about: environment, credentials file, configuration file, and whose keys; "": none.
CASES = {
    "nothing but the machine's role": ({}, "", "", "machine"),
    "the metadata service is not to be asked": ({"AWS_EC2_METADATA_DISABLED": "true"}, "", "", ""),
    "the environment": (ENVIRONMENT, "[default]\n" + keys("file"), "", "AKIAENV"),
    "half a pair": ({"AWS_ACCESS_KEY_ID": "AKIAENV"}, "[default]\n" + keys("file"), "", ""),
    "an empty id": ({"AWS_ACCESS_KEY_ID": ""}, "[default]\n" + keys("file"), "", "AKIAFILE"),
    "the environment before a profile's role": ({**ENVIRONMENT, "AWS_PROFILE": "top"}, "[user]\n" + keys("file"),
                                                "[profile top]\n" + role("one", "user"), "AKIAENV"),
    "the credentials file before the other": ({}, "[default]\n" + keys("file"), "[default]\n" + keys("conf"), "AKIAFILE"),
    "the configuration file": ({"AWS_PROFILE": "web"}, "[default]\n" + keys("file"), "[profile web]\n" + keys("conf"),
                               "AKIACONF"),
    "the older name of the variable": ({"AWS_PROFILE": "web", "AWS_DEFAULT_PROFILE": "default"},
                                       "[default]\n" + keys("file"), "[profile web]\n" + keys("conf"), "AKIAFILE"),
    "a profile that is not there": ({"AWS_PROFILE": "nobody"}, "[default]\n" + keys("file"), "", ""),
    "a profile that says nothing of keys": ({"AWS_PROFILE": "web"}, "", "[profile web]\nregion = eu-central-1\n", "machine"),
    "half a pair in a file": ({}, "[default]\naws_access_key_id = AKIAFILE\n", "[default]\n" + keys("conf"), ""),
    "a role by a user": ({"AWS_PROFILE": "top"}, "[user]\n" + keys("file"), "[profile top]\n" + role("one", "user"), "one"),
    "a role in the credentials file": ({"AWS_PROFILE": "top"}, "[user]\n" + keys("file") + "[top]\n" + role("one", "user"),
                                       "", "one"),
    "a role before keys": ({}, "[default]\n" + keys("file"), "[default]\n" + role("one", "default"), "one"),
    "a role by the role of a user": ({"AWS_PROFILE": "top"}, "[user]\n" + keys("file"),
                                     "[profile top]\n" + role("two", "mid") + "[profile mid]\n" + role("one", "user"), "two"),
    "a role that the first one may not have": ({"AWS_PROFILE": "top"}, "[user]\n" + keys("file"),
                                               "[profile top]\n" + role("two", "user"), ""),
    "keys in the middle of the chain": ({"AWS_PROFILE": "top"}, "",
                                        "[profile top]\n" + role("one", "mid") + "[profile mid]\n" + keys("file") +
                                        role("two", "top"), "one"),
    "an external id": ({"AWS_PROFILE": "top"}, "[user]\n" + keys("file"),
                       "[profile top]\nexternal_id = ours\n" + role("closed", "user"), "closed"),
    "the wrong external id": ({"AWS_PROFILE": "top"}, "[user]\n" + keys("file"),
                              "[profile top]\nexternal_id = theirs\n" + role("closed", "user"), ""),
    "a short session": ({"AWS_PROFILE": "top"}, "[user]\n" + keys("file"),
                        "[profile top]\nduration_seconds = 900\nrole_session_name = night\n" + role("one", "user"), "one"),
    "a session that is too long": ({"AWS_PROFILE": "top"}, "[user]\n" + keys("file"),
                                   "[profile top]\nduration_seconds = 7200\n" + role("one", "user"), ""),
    "a role by the machine's": ({"AWS_PROFILE": "top"}, "",
                                f"[profile top]\nrole_arn = {ROLE}open\ncredential_source = Ec2InstanceMetadata\n", "open"),
    "a role by the container's": ({"AWS_PROFILE": "top", **CONTAINER}, "",
                                  f"[profile top]\nrole_arn = {ROLE}one\ncredential_source = EcsContainer\n", "one"),
    "a role by an environment that has none": ({"AWS_PROFILE": "top"}, "",
                                               f"[profile top]\nrole_arn = {ROLE}open\ncredential_source = Environment\n", ""),
    "a source that nobody knows": ({"AWS_PROFILE": "top"}, "",
                                   f"[profile top]\nrole_arn = {ROLE}open\ncredential_source = Magic\n", ""),
    "two sources": ({"AWS_PROFILE": "top"}, "[user]\n" + keys("file"),
                    "[profile top]\ncredential_source = Environment\n" + role("one", "user"), ""),
    "no source": ({"AWS_PROFILE": "top"}, "", f"[profile top]\nrole_arn = {ROLE}open\n", ""),
    "a source that is not there": ({"AWS_PROFILE": "top"}, "", "[profile top]\n" + role("one", "user"), ""),
    "a circle": ({"AWS_PROFILE": "top"}, "", "[profile top]\n" + role("one", "mid") + "[profile mid]\n" + role("two", "top"),
                 ""),
    "a circle of one": ({"AWS_PROFILE": "top"}, "", "[profile top]\n" + role("one", "top"), ""),
    "the container": (CONTAINER, "", "", "AKIAFILE"),
    "a web identity": ({"AWS_WEB_IDENTITY_TOKEN_FILE": "TOKEN", "AWS_ROLE_ARN": f"{ROLE}web"}, "[default]\n" + keys("file"), "",
                       "web"),
    "a web identity of the profile": ({"AWS_PROFILE": "top"}, "",
                                      f"[profile top]\nrole_arn = {ROLE}web\nweb_identity_token_file = TOKEN\n", "web"),
    "a web identity without a role": ({"AWS_WEB_IDENTITY_TOKEN_FILE": "TOKEN"}, "[default]\n" + keys("file"), "", ""),
    "a profile's role before a web identity": ({"AWS_WEB_IDENTITY_TOKEN_FILE": "TOKEN", "AWS_ROLE_ARN": f"{ROLE}web",
                                                "AWS_PROFILE": "top"}, "[user]\n" + keys("file"),
                                               "[profile top]\n" + role("one", "user"), "one"),
    "a role by a web identity": ({"AWS_PROFILE": "top"}, "",
                                 "[profile top]\n" + role("open", "web") +
                                 f"[profile web]\nrole_arn = {ROLE}web\nweb_identity_token_file = TOKEN\n", "open"),
    "a person who signs in": ({"AWS_PROFILE": "top"}, "[top]\n" + keys("file"),
                              "[profile top]\nsso_account_id = 1\nsso_role_name = r\nsso_start_url = https://127.0.0.1\n"
                              "sso_region = eu-central-1\n", ""),
}
TRUST = {"permissions": ["sts:*"], "trusted": ["AKIAFILE"], "max_s": 3600}
ROLES = {"machine": {**TRUST, "trusted": []}, "one": TRUST, "open": {**TRUST, "trusted": ["*"]},
         "closed": {**TRUST, "external_id": "ours"}, "two": {**TRUST, "trusted": ["role/one"]},
         "web": {**TRUST, "trusted": [], "web_identity": "somebody's"}}


class Container(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"AccessKeyId": "AKIAFILE", "SecretAccessKey": "file-secret", "Token": "",
                           "Expiration": "2100-01-01T00:00:00Z"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Chain(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.container = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Container)
        threading.Thread(target=self.container.serve_forever, daemon=True).start()
        self.addCleanup(self.container.server_close)
        self.addCleanup(self.container.shutdown)
        users = {f"AKIA{name.upper()}": {"secret": f"{name}-secret", "permissions": ["*"]} for name in ("env", "file", "conf")}
        self.server = Server(config.build(seed=1, keys=users, roles=ROLES, throttle={},
                                          metadata={"listen": None, "role": "machine"}))
        self.addCleanup(self.server.close)

    def text(self, text):
        return text.replace("TOKEN", str(self.folder / "token"))

    def environment(self, environment, credentials, settings):
        (self.folder / "token").write_text("somebody's")
        (self.folder / "credentials").write_text(self.text(credentials))
        (self.folder / "config").write_text(self.text(settings))
        url = f"http://127.0.0.1:{self.container.server_address[1]}/keys"
        own = {name: self.text(value).replace("CONTAINER", url) for name, value in environment.items()}
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), "AWS_SHARED_CREDENTIALS_FILE": str(self.folder / "credentials"),
                "AWS_CONFIG_FILE": str(self.folder / "config"), "AWS_DEFAULT_REGION": "eu-central-1",
                "AWS_ENDPOINT_URL_STS": self.server.url, "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.server.imds_url, **own}

    def owner(self, key):
        """The name of the role, or the id of the key that is nobody's role."""
        with self.server.cloud.lock:
            found = self.server.cloud.account.find(key)
        match = re.search(r"assumed-role/(\w+)/", found.arn)
        return match[1] if match else key

    def botocore(self, environment):
        with unittest.mock.patch.dict(os.environ, environment, clear=True):
            try:
                found = botocore.session.Session().get_credentials()
                return self.owner(found.get_frozen_credentials().access_key) if found else ""
            except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
                return ""

    def berth(self, environment):
        done = subprocess.run([PROGRAM], env={**environment, "BERTH_TEST_KEYS": "1"}, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        kind, what = re.search(r"^(keys|none): (.*)$", done.stdout, re.MULTILINE).groups()
        return self.owner(what) if kind == "keys" else ""

    def test_both_find_the_same(self):
        for name, (environment, credentials, settings, wanted) in CASES.items():
            with self.subTest(name):
                whole = self.environment(environment, credentials, settings)
                self.assertEqual(self.botocore(whole), wanted, "botocore")
                self.assertEqual(self.berth(whole), wanted, "berth")


if __name__ == "__main__":
    if not PROGRAM.exists():
        print(f"skipped: {PROGRAM} is not there")
        sys.exit(77)
    unittest.main()
