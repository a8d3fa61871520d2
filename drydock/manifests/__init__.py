"""Rendered manifests: objects, autoscalers, probes, quantities, the shutdown budget. Needs no cluster."""
