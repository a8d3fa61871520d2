"""Load runs: locust in the cluster, one record for each request, and what is made of them."""
