"""The kind cluster and what runs on it: Docker, images, registry, add-ons, Tilt, autoscaler, guards."""
