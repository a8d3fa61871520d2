"""The analysis of the scaling drill: marks, shares of the pods, verdict."""
