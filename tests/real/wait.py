"""Waiting is polling a condition with a deadline, never sleeping for a guessed time."""

import time

DEFAULT_DEADLINE_S = 30.0


class NotReached(AssertionError):
    """A condition did not become true before its deadline."""


def wait_for(condition, what, deadline_s=DEFAULT_DEADLINE_S, pause_s=0.02):
    """Calls condition() until it returns something true and returns that.

    what names the condition in the failure, or is a callable that does (it can show the last state).
    """
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            told = what() if callable(what) else what
            raise NotReached(f"not reached within {deadline_s:g} s: {told}")
        time.sleep(pause_s)
