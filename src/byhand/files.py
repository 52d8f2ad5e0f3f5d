"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from byhand.errors import ByhandError


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` to the file `path` as UTF-8, as `write_bytes` does."""
    write_bytes(path, text.encode())


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Write `data` to the file `path`, whole or not at all.

    The bytes go to a new file beside `path`, which takes its name when they are safely on the disk. Whatever
    stops the program before that, a full disk or a power cut, leaves the old file as it was. A file that is
    replaced keeps its permissions; a device or a pipe, which nothing can replace, is written to directly.

    Parameters
    ----------
    path : path-like
        Where to write; the folder must exist.
    data : bytes
        The whole contents.

    Raises
    ------
    ByhandError
        When the file cannot be written; the message names it and says why.
    """
    target = Path(os.path.realpath(path))
    try:
        if target.exists() and not target.is_file() and not target.is_dir():
            target.write_bytes(data)
        else:
            _replace(target, data)
    except OSError as error:
        raise ByhandError(f"cannot write {os.fspath(path)}: {_reason(target, error)}") from error


def _replace(target: Path, data: bytes) -> None:
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError("the file is read-only")
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with beside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            beside.chmod(target.stat().st_mode & 0o777)
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _reason(target: Path, error: OSError) -> str:
    if target.is_dir():
        return "it is a folder"
    if not target.parent.is_dir():
        return f"there is no folder {target.parent}"
    return error.strerror.lower() if error.strerror else str(error)
