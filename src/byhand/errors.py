"""What a user can mend, told in one line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import Distribution, distribution
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname


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
        message = f"{missing} is not installed; to get it: {installation(distribution('byhand'), extra)}"
        raise MissingExtraError(message, name=missing) from None


def installation(byhand: Distribution, extra: str) -> str:
    """The command that adds an extra to byhand in the way byhand was installed.

    From a folder or a file that is still there, it is installed from there again. Otherwise the extra's libraries are
    named themselves, since what an index has under the name of byhand may be another's.

    Parameters
    ----------
    byhand : Distribution
        As it is installed.
    extra : str
        An extra of it.

    Returns
    -------
    str
    """
    origin = json.loads(byhand.read_text("direct_url.json") or "{}")
    address = urlparse(origin.get("url", ""))
    path = Path(url2pathname(address.path))
    if address.scheme == "file" and path.exists():
        where = "." if path == Path.cwd() else path
        editable = "-e " if origin.get("dir_info", {}).get("editable") else ""
        return f'pip install {editable}"{where}[{extra}]"'
    libraries = [
        requirement.partition(";")[0].strip()
        for requirement in byhand.requires or ()
        if re.search(rf"extra == ['\"]{extra}['\"]", requirement)
    ]
    return "pip install " + " ".join(f'"{library}"' for library in libraries)
