"""The check without a cluster: whether the manifests and the command can keep what the drills promise."""
