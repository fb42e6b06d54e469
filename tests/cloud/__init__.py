"""An EC2-compatible cloud for tests and for trying Berth without an account: `python3 -m tests.cloud serve`.

The way of a request: server (HTTP) -> api (faults, signature, throttling, permissions, shapes) -> a handler registered
in actions -> the Cloud of state -> shapes (XML). Machines stand behind machines.Machines, time behind clock.Clock.
"""
