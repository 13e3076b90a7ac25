"""gansmith translate: examples made from others. Each kind of data has its own options for it."""

from pathlib import Path

from gansmith import kinds

USUAL = "images"
"""The kind that is meant where no run is named: help, and weights of other programs."""


def run(argv: list[str]) -> int:
    return kinds.translator(kind_of_run(argv, USUAL))(argv)


def kind_of_run(argv: list[str], usual: str) -> str:
    """The kind of what the run of this command line makes, `usual` where none is named.

    What is wrong with the run is said by whoever reads it whole.
    """
    from gansmith.data.readers.json_text import read_json
    from gansmith.errors import UserError

    for word in argv:
        if word.startswith("-"):
            continue
        for path in (Path(word) / "model" / "model.json", Path(word) / "model.json"):
            try:
                kind = read_json(path)["codec"]["spec"]["kind"]
            except (OSError, ValueError, KeyError, TypeError, UserError):
                continue
            return kind if kinds.is_known(kind) else usual
        break
    return usual
