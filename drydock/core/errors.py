"""The errors that end a command, and their exit codes."""


class FailedError(Exception):
    """The command ran and its result is negative: exit code 1. `remedy` is the way to fix it."""

    exit_code = 1

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


class InconclusiveError(FailedError):
    """The command ran, and its evidence does not suffice for a result: exit code 3."""

    exit_code = 3


class CannotRunError(FailedError):
    """The command could not run: exit code 2."""

    exit_code = 2
