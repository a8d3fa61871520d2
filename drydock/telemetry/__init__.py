"""Clients of the telemetry stack: Grafana and Jaeger."""
