"""Running other programs."""

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from drydock.core.errors import CannotRunError, FailedError


def output(
    command: Sequence[str],
    *,
    stdin: str | bytes = "",
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    timeout: float | None = None,
) -> str:
    """Runs `command` and returns its output. `environment` is added to our own; `timeout` is in seconds.

    It runs in its own session, so Ctrl-C reaches only us: a kubectl that restores the service must not be interrupted.

    Raises:
        FailedError: it ended with another code than 0; the reason carries the end of its output.
        CannotRunError: it is not installed, or took longer than `timeout`.
    """
    try:
        done = subprocess.run(
            command,
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            check=False,
            env={**os.environ, **(environment or {})},
            cwd=folder,
            timeout=timeout,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise CannotRunError(f"{command[0]} is not installed", f"Install {command[0]} and run again.") from error
    except subprocess.TimeoutExpired as error:
        raise CannotRunError(f"`{shlex.join(command)}` did not end within {timeout:.0f} s") from error
    if done.returncode:
        message = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise FailedError(f"`{shlex.join(command)}` failed ({done.returncode}):\n{last_lines(message)}")
    return done.stdout.decode(errors="replace")


def succeeds(command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> bool:
    """Whether `command` ends with code 0."""
    try:
        output(command, environment=environment)
    except FailedError:
        return False
    return True


def last_lines(text: str, count: int = 20) -> str:
    """The end of a log, which holds the reason."""
    return "\n".join(text.splitlines()[-count:])
