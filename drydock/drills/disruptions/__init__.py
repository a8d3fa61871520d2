"""The shutdown drills, one per file."""
