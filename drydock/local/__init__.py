"""The local platform: the service's own commands beside an embedded PostgreSQL, for machines without Docker.

It claims nothing about Kubernetes.
"""
