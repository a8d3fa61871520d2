"""The worker's metrics. Every worker reports the same queue metrics from the database: aggregate them with max()."""

from prometheus_client import Counter, Gauge, Histogram

# From an empty page (10 ms) to the timeout of one rendering (10 s).
RENDERING_BUCKETS = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10)
# From an idle worker to a queue without workers. A scale-out takes half a minute.
WAIT_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60, 120, 300)

RENDERED = Counter("receipts_rendered_total", "Receipts rendered and written.")
REPEATED = Counter("receipts_repeated_total", "Jobs whose receipt already existed and was not changed.")
RETRIED = Counter("receipts_retried_total", "Failed rendering attempts that will be retried.")
FAILED = Counter("receipts_failed_total", "Receipts that failed their last attempt.")
RENDERING_SECONDS = Histogram(
    "receipt_rendering_seconds",
    "Duration of one rendering, including the wait for a process.",
    buckets=RENDERING_BUCKETS,
)
WAIT_SECONDS = Histogram(
    "receipt_wait_seconds", "Time from the request for a receipt to the written document.", buckets=WAIT_BUCKETS
)
IN_HAND = Gauge("receipts_in_hand", "Jobs that this worker has claimed and not finished.")
QUEUE_JOBS = Gauge("receipt_queue_jobs", "Jobs in the queue, waiting or claimed. NaN while the database is down.")
QUEUE_OLDEST_SECONDS = Gauge(
    "receipt_queue_oldest_seconds", "Age of the oldest job in the queue, 0 when empty. NaN while the database is down."
)
