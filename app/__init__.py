"""The service under test: a small shop whose truth can be audited. It imports nothing of the instrument."""
