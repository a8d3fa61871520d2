"""The account of a shutdown drill: every request, every departed pod, the cause of each loss, and the verdict."""
