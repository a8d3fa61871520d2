"""The kind cluster and everything on it: Docker, images, registry, add-ons, Tilt, autoscaler, guards."""
