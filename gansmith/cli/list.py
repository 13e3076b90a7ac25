"""gansmith list: what there is to choose from."""

import re
import shutil
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from tyro.conf import Positional

from gansmith import gans, kinds
from gansmith.cli.options import Flag, parse, takes
from gansmith.cli.output import Output
from gansmith.export import exporter_names
from gansmith.gans._groups import groups
from gansmith.gans._verified import recorded, sentence
from gansmith.metrics.registry import family_of, metric_names


@dataclass(frozen=True, kw_only=True)
class List:
    """What there is to choose from, each with a line on what it is."""

    what: Annotated[
        Positional[Literal["gans", "kinds", "data", "metrics", "presets", "formats"] | None],
        takes("[gans|kinds|data|metrics|presets|formats]", "the names of all"),
    ] = None
    """GANs, kinds of data, built-in data sets, metrics, presets of GANs, or formats of export."""
    json: Flag = False
    """Print JSON."""


def run(argv: list[str]) -> int:
    options = parse(List, argv, "gansmith list")
    sections: dict[str, Callable[[], dict[str, str]]] = {
        "gans": gans.names,
        "kinds": kinds.lines,
        "data": kinds.builtin,
        "metrics": metric_names,
        "formats": exporter_names,
        "presets": _presets,
    }
    chosen = [options.what] if options.what else [name for name in sections if name != "presets"]
    found = {name: sections[name]() for name in chosen}
    output = Output(options.json)
    shown = {**found, "gans": _verified(found["gans"])} if "gans" in found else found
    if options.what is None:
        _overview(found, output)
    for name, lines in shown.items() if options.what else ():
        width = max(map(len, lines), default=0)
        for heading, words in _grouped(lines).items() if name == "gans" else [("", list(lines))]:
            if heading:
                output.say(f"{heading[0].upper()}{heading[1:]}")
            for word in words:
                output.say(_folded(f"  {word:<{width}}  ", lines[word], output.words.isatty()))
    facts = {**found, "gans": {name: _facts(name, line) for name, line in found["gans"].items()}} if "gans" in found else found
    output.result(facts[options.what] if options.what else facts)
    return 0


def _overview(found: Mapping[str, Mapping[str, str]], output: Output) -> None:
    """The names alone, in a screen or two, and how to see more of each."""
    parts = {name: {"": list(lines)} for name, lines in found.items()}
    parts["gans"], parts["metrics"] = _grouped(found["gans"]), _by_kind(found["metrics"])
    for name, groups_of_names in parts.items():
        output.say(f"{name}:")
        width = max(map(len, groups_of_names)) + 2 if len(groups_of_names) > 1 else 0
        for heading, words in groups_of_names.items():
            head = f"  {heading:<{width}}"
            columns = max(shutil.get_terminal_size().columns, 2 * len(head))
            output.say(
                textwrap.fill(
                    ", ".join(words), columns, initial_indent=head, subsequent_indent=" " * len(head), break_on_hyphens=False
                )
            )
    output.say(f"What each of them is: gansmith list {' or '.join((', '.join([*found]), 'presets'))}.")


def _by_kind(metrics: Iterable[str]) -> dict[str, list[str]]:
    """Metrics under the kind of data in whose folder they are; those of any kind first."""
    found: dict[str, list[str]] = {"any data": []}
    for metric in metrics:
        folder = re.search(r"\.kinds\.(\w+)\.", family_of(metric))
        found.setdefault(folder[1] if folder else "any data", []).append(metric)
    return found


def _folded(head: str, line: str, on_terminal: bool) -> str:
    """One line for pipes; on a terminal as many of its width as are needed, below each other."""
    columns = shutil.get_terminal_size().columns
    if not on_terminal or columns < 2 * len(head):
        return head + line
    return textwrap.fill(line, columns, initial_indent=head, subsequent_indent=" " * len(head), break_on_hyphens=False)


def _grouped(names: Iterable[str]) -> dict[str, list[str]]:
    """GANs under what they make; those of other packages last."""
    found: dict[str, list[str]] = {}
    known = groups()
    for name in sorted(
        names, key=lambda name: (name not in known, known.get(name, "").split(" to ")[0], known.get(name, ""), name)
    ):
        found.setdefault(known.get(name, "from other packages"), []).append(name)
    return found


def _verified(lines: Mapping[str, str]) -> dict[str, str]:
    """Every GAN's line with what a recorded training here came to, if there is one; its page in the documentation has them all."""
    results = recorded()
    return {name: f"{line} [{sentence(results[name], 1)}]" if results.get(name) else line for name, line in lines.items()}


def _facts(name: str, line: str) -> dict[str, Any]:
    """What the first line of a GAN's file says: "Title: what for (paper and year)."."""
    title, _, rest = line.rstrip(".").partition(": ")
    about, _, paper = rest.removesuffix(")").partition(" (")
    year = re.search(r"\b(?:19|20)\d\d\b", paper)
    return {
        "title": title,
        "for": about,
        "paper": paper,
        "year": int(year[0]) if year else None,
        "verified": recorded().get(name, []),
    }


def _presets() -> dict[str, str]:
    """Every preset under the options that choose it; needs the GANs themselves, and so torch."""
    return {
        f"--gan {name} --preset {preset}": facts.about
        for name in gans.names()
        for preset, facts in gans.find(name).presets.items()
    }
