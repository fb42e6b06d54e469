"""python3 -m tests.cloud serve [--listen ADDRESS:PORT] [--config FILE.json] [--machines KIND] [--show]"""

import argparse
import json
import signal
import subprocess
import sys
import threading

from . import config as settings
from . import machines
from .ledger import ledger, table
from .server import Server

HELP = """an EC2-compatible cloud on this machine"""
HOW = """
settings (JSON; these are the defaults) are printed by --show. What tests do to the cloud: GET /control.
"""


def arguments():
    parser = argparse.ArgumentParser(prog="tests.cloud", description=HELP, epilog=HOW)
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve until Ctrl-C, then print what machines cost", description=HELP, epilog=HOW)
    serve.add_argument("--listen", default="127.0.0.1:7080", metavar="ADDRESS:PORT", help="default: %(default)s; port 0: any")
    serve.add_argument("--config", metavar="FILE", help="settings that differ from the defaults")
    serve.add_argument("--machines", choices=machines.KINDS, help="what stands behind an instance: nothing, or (as root) a "
                       "container with systemd and sshd")
    serve.add_argument("--show", action="store_true", help="print all settings and end")
    return parser.parse_args()


def say(server, config):
    key, value = next(iter(config["keys"].items()))
    sys.stdout.write(f"""EC2 and STS at {server.url}, metadata service at {server.imds_url}, region {config["region"]}
    export AWS_ENDPOINT_URL={server.url} AWS_REGION={config["region"]} AWS_DEFAULT_REGION={config["region"]}
    export AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY={value["secret"]}
    export AWS_EC2_METADATA_SERVICE_ENDPOINT={server.imds_url}
    curl '{server.url}/control/ledger?format=text'
""")
    sys.stdout.flush()


def main():
    options = arguments()
    try:
        config = settings.load(options.config)
        config["machines"]["kind"] = options.machines or config["machines"]["kind"]
        if options.show:
            print(json.dumps(config, indent=2))
            return 0
        server = Server(config, options.listen)
    except (ValueError, OSError, subprocess.CalledProcessError) as error:
        print(f"tests.cloud: {error}", file=sys.stderr)
        return 2
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    say(server, config)
    ended.wait()
    with server.cloud.lock:
        server.cloud.tick()
        book = ledger(server.cloud)
    server.close()
    sys.stderr.write(table(book))
    return 0


if __name__ == "__main__":
    sys.exit(main())
