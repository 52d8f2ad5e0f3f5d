"""The page as one HTML text: with links to the files that the server hands out, or with everything inside it."""

import base64
import gzip
import hashlib
import json
from functools import cache
from importlib.resources import files

import msgspec

from byhand.activations import ACTIVATIONS
from byhand.losses import LOSSES
from byhand.play import schema
from byhand.play.presets import PRESETS

# Modules import each other by the names "byhand/…", which an import map turns into addresses: files of the server,
# or data: addresses within the one exported file.
MODULES = ["app", "charts", "diagram", "engine", "link", "numbers", "table", "uplot"]
STYLES = ["uplot.css", "style.css"]


@cache
def static(name: str) -> str:
    """The text of one of the page's files."""
    return (files("byhand.play") / "static" / name).read_text(encoding="utf-8")


def served() -> tuple[str, str]:
    """The page for the server, and its Content-Security-Policy: nothing but its own files may load."""
    import_map = _import_map({name: f"/static/{name}.js" for name in MODULES})
    links = "\n".join(f'<link rel="stylesheet" href="/static/{name}">' for name in STYLES)
    digest = base64.b64encode(hashlib.sha256(import_map.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'self' 'sha256-{digest}'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return _fill(import_map, links, ""), policy


def exported(recording: bytes) -> str:
    """The page as one file that needs no server, with a recorded run (JSON) inside."""
    addresses = {
        name: "data:text/javascript;base64," + base64.b64encode(static(f"{name}.js").encode()).decode()
        for name in MODULES
    }
    styles = "\n".join(f"<style>\n{static(name)}\n</style>" for name in STYLES)
    packed = base64.b64encode(gzip.compress(recording, mtime=0)).decode()
    return _fill(_import_map(addresses), styles, packed)


def _import_map(addresses: dict[str, str]) -> str:
    return json.dumps({"imports": {f"byhand/{name}": address for name, address in addresses.items()}})


def _fill(import_map: str, styles: str, recording: str) -> str:
    boot = msgspec.json.encode(
        {
            "presets": PRESETS,
            "activations": list(ACTIVATIONS),
            "initializers": [*schema.INITIALIZERS, "handout"],
            "losses": list(LOSSES),
            "optimizers": list(schema.OPTIMIZERS),
            "maxUnits": schema.MAX_UNITS,
            "maxHiddenLayers": schema.MAX_HIDDEN_LAYERS,
            "maxPoints": schema.MAX_POINTS,
        }
    ).decode()
    parts = {"styles": styles, "import map": import_map, "boot": boot.replace("<", "\\u003c"), "recording": recording}
    text = static("index.html")
    for name, part in parts.items():
        text = text.replace(f"<!--{name}-->", part)
    return text
