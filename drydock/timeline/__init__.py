"""The timeline: what the cluster said of a workload while something was done to it, on one clock."""
