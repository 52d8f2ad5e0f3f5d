"""The page as a folder of files for any web server: no program runs there, the engine runs in the browser.

The stories are recorded. Whatever else the page asks is answered by this package's own Python in a worker, with
Pyodide (Python and NumPy for browsers), whose files come from where the site's owner says.
"""

import io
import zipfile
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from byhand.errors import ByhandError
from byhand.files import write_text
from byhand.play.data import DIGITS, packed_digits
from byhand.play.export import export
from byhand.play.page import FONTS, MODULES, STYLES, sited, static
from byhand.play.records import encode
from byhand.play.stories import OUTLINES, story

WORKER = "worker.js"
OTHER_VERBS = {"diagnosis", "lab", "study"}
PYODIDE = "314.0.7"
INTEGRITY = {
    "pyodide.mjs": "sha384-Lp79fMwxa4n2BLtugpUAoQMlbxIdg8iCUiP1r3h7nJLkQjwlXT1JzZTeHVL+f4Dg",
    "pyodide.asm.mjs": "sha384-/2281iaC0Iimw0B3Kagy1DBfZcJG3W4KYW+EmOqhsdY3fR9BJ88FE2Zt6y0KQKpa",
    "pyodide.asm.wasm": "sha384-y++qrQ72KPA1fTjLIuGMP+jppgGxjbLCgfdb0zMrnNnQVhxRUXTOTF6rTxNzllSu",
    "python_stdlib.zip": "sha384-xW3A5jmenkrPXbsgrIaB1FCJh9OuLT7FRMagsJMgtlhVc19k/mSy3+7nMaF/d767",
    "pyodide-lock.json": "sha384-o8SQQvpVlZnOl04+3dFTJipKxul9GbViVusA379wlOrfHSgxbzt0yPiqCTxOiYES",
}
"""Of the files of that version; the lock file has the digests of the packages."""


class Engine(NamedTuple):
    """Where the files of Python for browsers come from, and what they must be."""

    core: str = f"https://cdn.jsdelivr.net/npm/pyodide@{PYODIDE}/"
    packages: str = f"https://cdn.jsdelivr.net/pyodide/v{PYODIDE}/full/"
    integrity: dict[str, str] = INTEGRITY


def write_site(folder: Path, engine: Engine | None = None) -> Path:
    """Write the page, the stories' recordings, a page for each story, and the engine's Python.

    Parameters
    ----------
    folder : Path
        Made if it is not there. Files of these names are overwritten, others stay.
    engine : Engine, optional
        By default the public CDN.

    Returns
    -------
    Path
        Of the page to begin with.

    Raises
    ------
    ByhandError
        If the folder cannot be made, or scikit-learn, which has the digits, is not installed.
    """
    try:
        (folder / "static").mkdir(parents=True, exist_ok=True)
        (folder / "stories").mkdir(exist_ok=True)
    except OSError as error:
        raise ByhandError(f"the folder {folder} cannot be made: {error.strerror}") from error
    for name in [*(f"{module}.js" for module in MODULES), *STYLES, *FONTS, WORKER]:
        (folder / "static" / name).write_bytes(static(name))
    for outline in OUTLINES:
        (folder / "stories" / f"{outline.id}.json").write_bytes(encode(story(outline.id)))
        write_text(folder / "stories" / f"{outline.id}.html", export(outline.id))
    (folder / "static" / "byhand.zip").write_bytes(sources())
    write_text(folder / "index.html", sited((engine or Engine())._asdict()))
    return folder / "index.html"


def sources() -> bytes:
    """What of this package the engine is made of, as a zip file: all but the other verbs; and the digits."""
    package = Path(str(files("byhand")))
    contents = {file.relative_to(package).as_posix(): file for file in sorted(package.rglob("*.py"))}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:

        def add(name: str, content: bytes) -> None:
            archive.writestr(zipfile.ZipInfo(f"byhand/{name}", (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)

        for name, file in contents.items():
            if name.partition("/")[0] not in OTHER_VERBS:
                add(name, file.read_bytes())
        add(f"play/{DIGITS}", packed_digits())
    return packed.getvalue()
