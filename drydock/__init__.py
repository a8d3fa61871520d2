"""The tool: builds, observes and tests the environment. It knows the service only from the outside."""
