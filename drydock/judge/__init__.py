"""The judge: sends requests by the clock over raw connections, and accounts for every single one.

It runs in the cluster: nothing here imports more than the standard library, uvloop, httptools and drydock.traffic.outcomes.
"""
