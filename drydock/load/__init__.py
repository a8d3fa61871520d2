"""Load runs: locust in the cluster, with a record of each request, and the verdict on it."""
