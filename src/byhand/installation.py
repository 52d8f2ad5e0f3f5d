"""How byhand was installed, and so how an extra of it is."""

from __future__ import annotations

import json
import re
from importlib.metadata import Distribution
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname


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
