"""Token buckets per action, as EC2 has them: https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html"""

import fnmatch

from .errors import ApiError


class Throttle:
    """The setting: {pattern of an action: {"burst": n, "per_s": r}}; the first pattern that fits counts. An action has a
    bucket of its own. Beside it "RunInstances/machines" limits how many machines are asked for."""

    def __init__(self, config, clock):
        self.config = config
        self.clock = clock
        self.buckets = {}  # name -> (tokens, at)

    def rule(self, name):
        for pattern, rule in self.config["throttle"].items():
            if fnmatch.fnmatchcase(name, pattern):
                return rule
        return None

    def take(self, name, tokens=1):
        rule = self.rule(name)
        if rule is None:
            return
        now = self.clock.now()
        left, at = self.buckets.get(name, (rule["burst"], now))
        left = min(rule["burst"], left + (now - at) * rule["per_s"])
        self.buckets[name] = (left - tokens if left >= tokens else left, now)
        if left < tokens:
            raise ApiError("RequestLimitExceeded", "Request limit exceeded.")
