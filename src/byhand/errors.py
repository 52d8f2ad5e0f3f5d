"""What a user can mend, told in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class ByhandError(Exception):
    """Something that the user can mend: the message says what was wrong, what was expected and what to do.

    The command line prints the message alone, without a traceback, and ends with exit code 1.
    """


class MissingExtraError(ByhandError, ImportError):
    """A library that belongs to one of byhand's extras is not installed."""


@contextmanager
def needs_extra(extra: str) -> Iterator[None]:
    """Turn a failed import of an optional library into one line that names the command to run.

    Parameters
    ----------
    extra : str
        The extra in `pyproject.toml` that installs what is imported inside the `with` block.

    Raises
    ------
    MissingExtraError
        When an import inside the block fails because a library is not installed.

    Examples
    --------
    >>> with needs_extra("figures"):
    ...     import matplotlib.pyplot as plt
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in ("", "byhand"):
            raise
        from importlib.metadata import distribution  # these take longer to load than all of the mathematics

        from byhand.installation import installation

        message = f"{missing} is not installed; to get it: {installation(distribution('byhand'), extra)}"
        raise MissingExtraError(message, name=missing) from None
