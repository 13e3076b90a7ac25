"""The site of gansmith: `sphinx-build -W docs site` builds it, without a network."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_extensions")]

import gansmith

project = "gansmith"
author = "The gansmith authors"
copyright = author
version = release = gansmith.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "generated_pages", "repository_links"]
exclude_patterns = ["_build"]
suppress_warnings = ["myst.header"]  # a page may begin below the first level

myst_heading_anchors = 3
myst_enable_extensions = ["attrs_inline"]

default_role = "code"  # docstrings write `names` so
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # shapes are in the words

html_theme = "furo"
html_title = "gansmith"
html_copy_source = False
html_show_sphinx = False
