"""The shutdown drills, one a file."""
