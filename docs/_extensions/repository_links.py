"""Links to files of the repository that are no pages become text on the site, and stay links where the repository is browsed."""

import re
from pathlib import Path

from sphinx.application import Sphinx

LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((\.\.[^)\s]*)\)")


def _named(app: Sphinx, page: str, source: list[str]) -> None:
    folder, site = (Path(app.srcdir) / page).parent, Path(app.srcdir).resolve()

    def shown(found: re.Match[str]) -> str:
        words, target = found.groups()
        path = (folder / target.partition("#")[0]).resolve()
        if path.is_relative_to(site):
            return found[0]
        place = path.relative_to(site.parent)
        return words if str(place) in words else f"{words} (`{place}`)"

    source[0] = LINK.sub(shown, source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", _named)
    return {"parallel_read_safe": True}
