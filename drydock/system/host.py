"""The kind of this machine."""

import platform


def is_wsl() -> bool:
    """Whether this is Linux inside Windows (WSL), whose kernels carry Microsoft's name."""
    return "microsoft" in platform.release().lower()
