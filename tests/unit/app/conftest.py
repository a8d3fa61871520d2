"""The settings that importing the app needs. These tests use no database."""

import os

# The service reads its settings when it is imported.
os.environ.setdefault("DATABASE_URL", "postgresql://nobody:nothing@127.0.0.1:9/none")
