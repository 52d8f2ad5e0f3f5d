"""How Sphinx builds the manual; `make docs` calls it. Nothing is fetched, then or when the pages are read."""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import byhand

# The kernels that run the pages show figures in them, and leave nothing in anybody's home.
profile = Path(tempfile.mkdtemp()) / "profile_default"
profile.mkdir()
atexit.register(shutil.rmtree, profile.parent, ignore_errors=True)
(profile / "ipython_kernel_config.py").write_text(
    'c.InteractiveShellApp.matplotlib = "inline"\nc.IPKernelApp.log_level = "ERROR"\n', encoding="utf-8"
)
os.environ["IPYTHONDIR"] = str(profile.parent)

project = "byhand"
author = "byhand contributors"
copyright = author  # noqa: A001 - Sphinx's name
version = release = byhand.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "numpydoc",
    "myst_nb",
    "sphinx_design",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
    "building.mathematics",
    "building.reference",
    "building.derivations",
    "building.mistakes",
    "building.gallery",
]
exclude_patterns = ["_build", "building", "derivations/steps", "gallery/*.py", "gallery/*.ipynb", "gallery/*.zip"]
nitpicky = True
default_role = "name"  # of building.reference: a link where there is something to link to
suppress_warnings = ["config.cache"]

autodoc_typehints = "none"  # the docstrings say it, with the shapes
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

myst_enable_extensions = ["dollarmath", "colon_fence", "deflist", "attrs_inline"]
myst_heading_anchors = 4
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_merge_streams = True
html_math_renderer = "mathml"

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "matplotlib_animations": False,
    "show_memory": False,
    "show_signature": False,
    "download_all_examples": False,
    "write_computation_times": False,
    "capture_repr": (),
    "abort_on_example_error": True,
    "min_reported_time": 10**6,
    "image_scrapers": ("building.gallery.figures",),
    "reset_argv": "building.gallery.arguments",
    "reset_modules": (),
}

html_theme = "pydata_sphinx_theme"
html_title = f"byhand {version}"
html_static_path = ["_static"]
html_extra_path = ["_build/extra"]
html_css_files = ["manual.css"]
html_copy_source = False
html_show_sourcelink = False
html_context = {"default_mode": "auto"}
html_theme_options = {
    "logo": {"text": "byhand"},
    "navigation_with_keys": False,
    "show_prev_next": True,
    "show_toc_level": 2,
    "header_links_before_dropdown": 9,
    "footer_start": ["copyright"],
    "footer_end": ["theme-version"],
    "secondary_sidebar_items": ["page-toc"],
    "search_bar_text": "Search the manual",
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
