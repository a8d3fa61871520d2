"""The judge: sends requests by the clock over raw connections, and accounts for every single one.

It runs in the cluster: beside the standard library it needs uvloop, httptools and drydock.requests.
"""
