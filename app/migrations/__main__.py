"""`python -m app.migrations`: upgrade the database to the newest revision. Safe to start several times at once."""

import logging
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config

from app.migrations.lock import LockTimeoutError
from app.observability.logs import configure_logging
from app.observability.resource import resource
from app.settings import load_settings

logger = logging.getLogger("app.migrations")


def main() -> int:
    """Returns 0 when the database is at the newest revision, 1 when the upgrade failed."""
    settings = load_settings()
    configure_logging(settings.log_level, resource(settings))
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    try:
        command.upgrade(config, "head")
    except LockTimeoutError as error:
        logger.error("migration_failed", extra={"reason": str(error)})
        return 1
    except Exception:
        logger.exception("migration_failed")
        return 1
    logger.info("migrated")
    return 0


if __name__ == "__main__":
    sys.exit(main())
