"""The doctor: facts of this machine, checks on them, and the remedies."""
