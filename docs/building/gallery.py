"""The gallery: the examples with their figures, and the stories of `byhand play` as pages to step through."""

import os
from pathlib import Path

from matplotlib.figure import Figure
from sphinx.application import Sphinx
from sphinx_gallery.scrapers import figure_rst

from byhand.play.export import export
from byhand.play.stories import OUTLINES


def figures(block, block_vars, gallery_conf):
    """Called by sphinx-gallery after each block of an example: saves the figures that the block made."""
    made = {id(value): value for value in block_vars["example_globals"].values() if isinstance(value, Figure)}
    seen = block_vars.setdefault("figures seen", set())
    paths = []
    for key in made.keys() - seen:
        paths.append(next(block_vars["image_path_iterator"]))
        made[key].savefig(paths[-1], dpi=120, bbox_inches="tight")
    seen |= made.keys()
    return figure_rst(paths, gallery_conf["src_dir"])


def arguments(gallery_conf, script_vars):
    """Called by sphinx-gallery: what an example that writes a file is called with, a path that its page may show."""
    example = Path(script_vars["src_file"])
    out = os.path.relpath(Path(gallery_conf["src_dir"]) / "_build" / "figure.png", example.parent)  # where it runs
    return ["--out", out] if "--out" in example.read_text(encoding="utf-8") else []


def write_stories(app: Sphinx) -> None:
    source = Path(app.srcdir)
    pages = source / "_build" / "extra" / "stories"
    pages.mkdir(parents=True, exist_ok=True)
    lines = [
        "# Stories",
        "",
        "Recorded runs of `byhand play`, to step through here: each asks first, and then the numbers answer.",
        "",
    ]
    for outline in OUTLINES:
        (pages / f"{outline.id}.html").write_text(export(outline.id), encoding="utf-8")
        link = f'<a href="stories/{outline.id}.html">{outline.title}</a>'
        lines += [f"```{{raw}} html\n<p><strong>{link}</strong><br>{outline.subtitle}</p>\n```", ""]
    (source / "stories.md").write_text("\n".join(lines), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("config-inited", lambda app, config: write_stories(app))
    return {"parallel_read_safe": True}
