"""The timeline: the state of a workload's objects during a run, on one clock."""
