"""The invariants of the manifests: functions that take objects and return findings, one sentence each; none is good."""
