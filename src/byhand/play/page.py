"""The page as one HTML text: with links to the files that the server hands out, or with everything inside it."""

import base64
import gzip
import hashlib
import json
from functools import cache
from importlib.resources import files
from math import isfinite
from typing import Any

import numpy as np

from byhand.activations import ACTIVATIONS, Activation
from byhand.formulas import Formula
from byhand.initializers import INITIALIZERS
from byhand.losses import LOSSES
from byhand.optimizers import OPTIMIZERS
from byhand.play import schema
from byhand.play.presets import DEFAULTS, PRESETS
from byhand.play.records import encode
from byhand.play.stories import OUTLINES

# Modules import each other by the names "byhand/…", which an import map turns into addresses: files of the server,
# or data: addresses within the one exported file.
MODULES = [
    "app",
    "bar",
    "charts",
    "commands",
    "dom",
    "engine",
    "explain",
    "foot",
    "geometry",
    "inputs",
    "landscape",
    "link",
    "math",
    "names",
    "numbers",
    "picture",
    "pulses",
    "run",
    "settings",
    "slope",
    "state",
    "stops",
    "story",
    "table",
]
STYLES = ["style.css"]
FONTS = ["byhand-math.woff2"]
START = 'import "byhand/app";'


@cache
def static(name: str) -> bytes:
    """One of the page's files."""
    return (files("byhand.play") / "static" / name).read_bytes()


def served() -> tuple[str, str]:
    """The page for the server, and its Content-Security-Policy: nothing but its own files may load."""
    import_map = _import_map({name: f"/static/{name}.js" for name in MODULES})
    links = "\n".join(f'<link rel="stylesheet" href="/static/{name}">' for name in STYLES)
    scripts = " ".join(f"'sha256-{_digest(script)}'" for script in (import_map, START))
    policy = (
        f"default-src 'none'; script-src 'self' {scripts}; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return _fill(import_map, links, ""), policy


def sited(engine: dict[str, Any]) -> str:
    """The page for a site without a server: its files beside it, its engine in a worker (see `site`)."""
    import_map = _import_map({name: f"./static/{name}.js" for name in MODULES})
    scripts = " ".join(f"'sha256-{_digest(script)}'" for script in (import_map, START))
    policy = (
        f"default-src 'none'; script-src 'self' {scripts}; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'"
    )
    links = "\n".join(f'<link rel="stylesheet" href="static/{name}">' for name in STYLES)
    return _fill(import_map, f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n{links}', "", engine)


def exported(recording: bytes) -> str:
    """The page as one file that needs no server, with a recorded run (JSON) inside."""
    addresses = {
        name: "data:text/javascript;base64," + base64.b64encode(static(f"{name}.js")).decode() for name in MODULES
    }
    styles = "\n".join(f"<style>\n{_with_fonts(static(name).decode())}\n</style>" for name in STYLES)
    packed = base64.b64encode(gzip.compress(recording, mtime=0)).decode()
    return _fill(_import_map(addresses), styles, packed)


def _with_fonts(style: str) -> str:
    for name in FONTS:
        style = style.replace(f'"{name}"', f'"data:font/woff2;base64,{base64.b64encode(static(name)).decode()}"')
    return style


def _activation(activation: Activation) -> dict[str, Any]:
    """Its formulas, its curve for z from −5 to 5, and between which numbers it stays (null: it doesn't)."""
    low, high = (bound if isfinite(bound) else None for bound in activation.range)
    return {
        "name": activation.name,
        "formula": _text(activation.formula),
        "derivative": _text(activation.derivative_formula),
        "low": low,
        "high": high,
        "curve": activation(np.linspace(-5, 5, 101)).round(6).tolist(),
    }


def _text(formula: Formula | None) -> str | None:
    return None if formula is None else formula.text


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _import_map(addresses: dict[str, str]) -> str:
    return json.dumps({"imports": {f"byhand/{name}": address for name, address in addresses.items()}})


def _fill(import_map: str, styles: str, recording: str, site: dict[str, Any] | None = None) -> str:
    boot = encode(
        {
            "presets": PRESETS,
            "defaults": DEFAULTS,
            "stories": OUTLINES,
            "activations": [_activation(activation) for activation in ACTIVATIONS.values()],
            "initializers": [*INITIALIZERS, "handout"],
            "losses": [{"name": loss.name, "formula": _text(loss.formula)} for loss in LOSSES.values()],
            "optimizers": list(OPTIMIZERS),
            "nudges": schema.NUDGES,
            "maxUnits": schema.MAX_UNITS,
            "maxHiddenLayers": schema.MAX_HIDDEN_LAYERS,
            "maxPoints": schema.MAX_POINTS,
            "site": site,
        }
    ).decode()
    parts = {
        "styles": styles,
        "start": START,
        "import map": import_map,
        "boot": boot.replace("<", "\\u003c"),
        "recording": recording,
    }
    text = static("index.html").decode()
    for name, part in parts.items():
        text = text.replace(f"<!--{name}-->", part)
    return text
