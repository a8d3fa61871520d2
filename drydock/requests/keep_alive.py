"""How long the load generators keep an idle connection."""

# Below the 5 s after which uvicorn closes an idle connection: a request sent at that moment would be lost, and nobody's
# fault (RFC 9112, 9.3.1).
IDLE_SECONDS = 4.0
