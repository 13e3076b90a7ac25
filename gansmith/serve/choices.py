"""What a form must know of every GAN: what it learns, its presets, and its options.

    python -m gansmith.serve.choices

prints it as JSON: in a process of its own, so that the server loads no torch.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import typing
from typing import Any

from gansmith import gans
from gansmith.data.values import usual_range
from gansmith.serve.commands import described, docs_of


def choices(name: str) -> dict[str, Any]:
    """A GAN by name. Raises UserError if there is none."""
    made = gans.find(name)
    return {
        "name": name,
        "learned": made.learned(),
        "kinds": list(made.kinds),
        "axes": [list(axes) for axes in made.axes],
        "tasks": list(made.tasks),
        "presets": {key: {"about": own.about, "kind": own.kind, "minutes": own.minutes} for key, own in made.presets.items()},
        "options": options_of(made.Config),
    }


def options_of(config: type) -> list[dict[str, Any]]:
    """The options of a Config that a form can show: numbers, switches and words."""
    hints, plain, comments = typing.get_type_hints(config, include_extras=True), typing.get_type_hints(config), docs_of(config)
    found = []
    for field in dataclasses.fields(config):
        one = described(field, hints[field.name], plain[field.name], comments.get(field.name, ""))
        if one["low"] is None and (usual := usual_range(plain[field.name], field.default)) is not None:
            one["low"] = getattr(usual, "low", None)
        found.append(one)
    return found


if __name__ == "__main__":
    json.dump({name: choices(name) for name in gans.names()}, sys.stdout)
