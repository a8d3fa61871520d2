"""The worker's own metrics. The queue's are the database's truth, told by every worker alike: take the maximum."""

from prometheus_client import Counter, Gauge, Histogram

# From an empty page (10 ms) to the bound on one rendering (10 s).
RENDERING_BUCKETS = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10)
# From an idle worker to a queue that nobody works on: the scale-out takes half a minute.
WAIT_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60, 120, 300)

RENDERED = Counter("receipts_rendered_total", "Receipts rendered and written.")
REPEATED = Counter("receipts_repeated_total", "Jobs whose receipt was there already: nothing was changed.")
RETRIED = Counter("receipts_retried_total", "Attempts at rendering that failed and will be made again.")
FAILED = Counter("receipts_failed_total", "Receipts given up after their last attempt.")
RENDERING_SECONDS = Histogram(
    "receipt_rendering_seconds",
    "Time one rendering took, the wait for its process included.",
    buckets=RENDERING_BUCKETS,
)
WAIT_SECONDS = Histogram(
    "receipt_wait_seconds", "Time from the request for a receipt to the written document.", buckets=WAIT_BUCKETS
)
IN_HAND = Gauge("receipts_in_hand", "Jobs that this worker has taken and not finished.")
QUEUE_JOBS = Gauge("receipt_queue_jobs", "Jobs in the queue, waiting or in hand. NaN while the database is out.")
QUEUE_OLDEST_SECONDS = Gauge(
    "receipt_queue_oldest_seconds", "Age of the oldest job in the queue, 0 when empty. NaN while the database is out."
)
