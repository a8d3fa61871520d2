"""All rules, in the order in which they are shown."""

from drydock.check import connections, parity, probes, rollout, shutdown
from drydock.check.rule import Rule

RULES: tuple[Rule, ...] = (*shutdown.RULES, *probes.RULES, *rollout.RULES, *connections.RULES, *parity.RULES)
