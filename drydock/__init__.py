"""The instrument: it builds, watches and judges the environment, and knows the service only from outside."""
