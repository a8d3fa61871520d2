"""The two ways a command ends badly, and the exit code of each."""


class FailedError(Exception):
    """The command did its work and the answer is no: exit code 1. `remedy` says what the reader can do about it."""

    exit_code = 1

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


class CannotRunError(FailedError):
    """The command could not do its work here: exit code 2."""

    exit_code = 2
