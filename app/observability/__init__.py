"""Telemetry of the service: logs, metrics, traces and reported exceptions."""
