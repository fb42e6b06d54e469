"""The cloud's time: what moves machines through their lives, and the clock that is shown on the wire."""

import datetime
import threading
import time


class Clock:
    """`now()` is the time of machines, prices and credentials; tests advance it. It stands still between advances
    if `manual`. `wire_now()` is what signatures and the Date header go by: real time, and wrong by `skew_s`."""

    def __init__(self, manual=False):
        self.manual = manual
        self.skew_s = 0.0
        self._lock = threading.Lock()
        self._offset_s = 0.0
        self._begun = time.time()

    def now(self):
        with self._lock:
            return (self._begun if self.manual else time.time()) + self._offset_s

    def wire_now(self):
        return time.time() + self.skew_s

    def advance(self, seconds):
        if seconds < 0:
            raise ValueError("time does not go back")
        with self._lock:
            self._offset_s += seconds


def iso(seconds, millis=True):
    """Seconds since the epoch as EC2 writes them."""
    text = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).isoformat(timespec="milliseconds")[:23]
    return text + "Z" if millis else text[:19] + "Z"


def seconds_of(text):
    """Seconds since the epoch of an ISO 8601 time; ValueError if it is none."""
    when = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (when if when.tzinfo else when.replace(tzinfo=datetime.timezone.utc)).timestamp()
