"""The load generator: a small, honest client that runs in the cluster. It imports nothing that only a host needs."""
