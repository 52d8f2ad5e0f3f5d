"""The figures of an example for the gallery: those it makes, whether pyplot knows of them or not."""

from sphinx_gallery.scrapers import figure_rst

from matplotlib.figure import Figure


def figures(block, block_vars, gallery_conf):
    """Called by sphinx-gallery after each block of an example: saves the figures that the block made."""
    made = {
        id(value): value for value in block_vars["example_globals"].values() if isinstance(value, Figure)
    }
    seen = block_vars.setdefault("seen figures", set())
    paths = []
    for key, figure in made.items():
        if key not in seen:
            path = next(block_vars["image_path_iterator"])
            figure.savefig(path, dpi=120, bbox_inches="tight")
            paths.append(path)
            seen.add(key)
    return figure_rst(paths, gallery_conf["src_dir"])
