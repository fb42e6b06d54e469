"""An engine that lies about what runs: a proxy before it edits the lists and inspections of containers.

    liar = Liar(world.proxies[0])       its requests, not those over the engine's own socket
    liar.hide(lambda c: True)           what runs is not there
    liar.revive(lambda c: True)         what has ended runs
    liar.invent({...})                  what never was runs; see claim()
    liar.confess()                      the truth again
"""

import hashlib
import re

from .proxy import Action, Rule

LIST = r"/containers/json"
INSPECT = r"/containers/[^/]+/json"
RUNNING = {"Status": "running", "Running": True, "Paused": False, "Restarting": False, "OOMKilled": False,
           "Dead": False, "ExitCode": 0, "Error": "", "FinishedAt": "0001-01-01T00:00:00Z"}


class Liar:
    """Lies about the containers for which a condition holds: it is given {"Id", "Name", "Labels", "State"}
    with the true state ("running", "exited", ...).
    """

    def __init__(self, proxy):
        self._proxy = proxy
        self._rules = []
        self._hidden = self._revived = lambda container: False
        self._invented = []

    def hide(self, condition):
        self._hidden = condition
        self._lie()

    def revive(self, condition):
        self._revived = condition
        self._lie()

    def invent(self, *containers):
        """containers: from claim()."""
        self._invented += containers
        self._lie()

    def confess(self):
        for rule in self._rules:
            self._proxy.remove(rule)
        self.__init__(self._proxy)

    @property
    def told(self):
        """How many replies were edited so far."""
        return sum(rule.applied for rule in self._rules)

    def _lie(self):
        if not self._rules:
            self._rules = [self._proxy.add(Rule(Action.EDIT_REPLY, pattern, "GET", edit=edit))
                           for pattern, edit in ((LIST, self._list), (INSPECT, self._inspect))]

    def _list(self, path, status, value):
        if status != 200:
            return status, value
        told = [_as_running(c) if self._revived(_of_list(c)) else c
                for c in value if not self._hidden(_of_list(c))]
        return status, told + [_listed(c) for c in self._invented]

    def _inspect(self, path, status, value):
        asked = re.search(INSPECT, path).group(0).split("/")[2]
        for container in self._invented:
            if asked in (container["Id"], container["Name"]):
                return 200, _inspected(container)
        if status != 200:
            return status, value
        true = _of_inspect(value)
        if self._hidden(true):
            return 404, {"message": f"No such container: {asked}"}
        if self._revived(true):
            value["State"] = {**value["State"], **RUNNING, "Pid": 1}
        return status, value


def claim(name, labels, image="berth-sample:1"):
    """A container that never was."""
    return {"Id": hashlib.sha256(name.encode()).hexdigest(), "Name": name, "Labels": labels, "Image": image}


def _of_list(entry):
    return {"Id": entry["Id"], "Name": entry["Names"][0].lstrip("/"), "Labels": entry["Labels"],
            "State": entry["State"]}


def _of_inspect(value):
    return {"Id": value["Id"], "Name": value["Name"].lstrip("/"), "Labels": value["Config"]["Labels"],
            "State": value["State"]["Status"]}


def _as_running(entry):
    return {**entry, "State": "running", "Status": "Up 1 second"}


def _listed(claimed):
    return {"Id": claimed["Id"], "Names": ["/" + claimed["Name"]], "Image": claimed["Image"], "ImageID": "",
            "Command": "", "Created": 1600000000, "Ports": [], "Labels": claimed["Labels"], "State": "running",
            "Status": "Up 1 second", "HostConfig": {"NetworkMode": "default"},
            "NetworkSettings": {"Networks": {}}, "Mounts": []}


def _inspected(claimed):
    return {"Id": claimed["Id"], "Name": "/" + claimed["Name"], "Created": "2020-09-13T12:26:40Z",
            "RestartCount": 0, "State": {**RUNNING, "Pid": 1, "StartedAt": "2020-09-13T12:26:40Z"},
            "Image": claimed["Image"], "Config": {"Image": claimed["Image"], "Labels": claimed["Labels"]},
            "HostConfig": {}, "NetworkSettings": {"Ports": {}, "Networks": {}}, "Mounts": []}
