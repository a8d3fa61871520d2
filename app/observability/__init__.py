"""What the service says about itself: log lines, metrics, traces, reported exceptions."""
