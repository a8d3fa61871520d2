"""The app as an object, with no database behind it: for what needs none."""

import os

# Importing the service reads its settings, as every start does.
os.environ.setdefault("DATABASE_URL", "postgresql://nobody:nothing@127.0.0.1:9/none")
