"""Writes the reference pages that follow from the program: a page for each GAN, each command, each kind's options, and the metrics.

They go to docs/reference/generated/, which git ignores, before Sphinx looks for pages.
"""

import ast
import dataclasses
import inspect
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from gansmith import gans, kinds
from gansmith.game import GAN
from gansmith.gans._verified import recorded
from gansmith.metrics.registry import families

ROOT = Path(__file__).parents[2]
HELP = ROOT / "tests" / "help"
PICTURES = ROOT / "bench" / "results" / "synthesis"
TITLES = {
    "images": "Images",
    "pairs": "Images from images",
    "tables": "Tables",
    "series": "Time series",
    "text": "Text",
    "molecules": "Molecules",
    "music": "Music",
    "audio": "Sound",
    "video": "Video",
}
EXAMPLES = {
    "images": "digits",
    "points": "ring",
    "pairs": "facades/",
    "tables": "people.csv",
    "series": "prices.csv",
    "text": "sentences",
    "molecules": "molecules",
    "music": "tunes",
    "audio": "drums",
    "video": "shapes",
}


def pages() -> Iterator[tuple[str, str]]:
    """Every generated page: its name and its Markdown."""
    found = gans.names()
    places: dict[str, list[str]] = {title: [] for title in TITLES.values()}
    for name, line in found.items():
        gan = gans.find(name)
        places[TITLES[_room(gan)]].append(name)
        yield f"gans/{name}", _gan_page(name, line, gan)
    yield "gans/index", _gan_index(found, places)
    commands = [path.stem.removeprefix("gansmith-") for path in sorted(HELP.glob("gansmith-*.txt")) if "-gan-" not in path.stem]
    for command in commands:
        yield f"cli/{command}", _command_page(command)
    yield "cli/index", _command_index(commands)
    yield "metrics", _metrics_page()


def _room(gan: type[GAN]) -> str:
    """Under which heading a GAN stands."""
    if "images" in gan.kinds and "generation" not in gan.tasks:
        return "pairs"
    return next((kind for kind in TITLES if kind in gan.kinds), "molecules")


# ---- GANs ---------------------------------------------------------------------------------------------------------------------


def _gan_page(name: str, line: str, gan: type[GAN]) -> str:
    title = line.partition(": ")[0]
    docstring = inspect.getdoc(inspect.getmodule(gan)) or ""
    room = _room(gan)
    about = docstring.partition("\n\n")[2]
    parts = [
        f"# {title}",
        _sentence(docstring),
        f"```console\ngansmith train {EXAMPLES[room]} --gan {name}\n```",
        f"It learns {gan.learned()}.",
        _as_markdown(about),
        "## Verified here",
        _scores(name),
        *(_picture(name)),
        "## Presets",
        _presets(gan),
        "## Options",
        'Each is `--gan.NAME` on the command line and `options={"name": ...}` in Python. Defaults are those of the file; a preset'
        " may set others.",
        _options(gan),
        "## The game",
        f"One round, as it stands in `gansmith/gans/{name}.py`. Each `yield` hands a move to the trainer, which makes it before the"
        " function goes on.",
        f"```python\n{textwrap.dedent(inspect.getsource(gan.play)).rstrip()}\n```",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _sentence(docstring: str) -> str:
    head = " ".join(docstring.partition("\n\n")[0].split())
    return head.partition(": ")[2][:1].upper() + head.partition(": ")[2][1:]


def _as_markdown(text: str) -> str:
    """Indented commands become blocks; all else is prose."""
    found = []
    for part in text.split("\n\n"):
        if part.startswith("    "):
            found.append(f"```text\n{textwrap.dedent(part).strip()}\n```")
        else:
            found.append(part.replace("<", "&lt;"))
    return "\n\n".join(found)


def _scores(name: str) -> str:
    results = recorded().get(name, [])
    if not results:
        return (
            "No training of it was recorded with a score yet. It passes the tests that every GAN passes: it trains on toy data,"
            " resumes exactly, generates, and exports."
        )
    rows = [
        (
            own["data"],
            own.get("settings", "default"),
            f"{own['cpu_seconds']:,.0f}",
            own["score"],
            f"{own['value']:.3g}",
            _number(own.get("baseline")) + (f" ({own['baseline_name']})" if own.get("baseline_name") else ""),
            _number(own.get("ceiling")),
            own["better"],
        )
        for own in results
    ]
    head = ("data", "settings", "CPU seconds", "score", "value", "baseline", "ceiling", "better")
    return _table(head, rows) + "\n\nOne core of an AMD EPYC; the records are in `bench/results`."


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _picture(name: str) -> Iterator[str]:
    for path in sorted(PICTURES.glob(f"{name}-*.png"))[:1]:
        data = path.stem.partition("-")[2]
        yield f"![What {name} made of {data}](../../../../bench/results/synthesis/{path.name})"


def _presets(gan: type[GAN]) -> str:
    rows = [
        (f"`{name}`", preset.about, preset.kind or "any", str(preset.batch), _budget(preset.minutes, preset.samples))
        for name, preset in gan.presets.items()
    ]
    return _table(("preset", "for", "kind of data", "batch", "budget"), rows)


def _budget(minutes: float | None, samples: int | None) -> str:
    return f"{minutes:g} minutes" if minutes else f"{samples:,} samples" if samples else ""


def _options(gan: type[GAN]) -> str:
    described = {name: text for owner in reversed(gan.Config.__mro__) for name, text in _field_docs(owner)}
    rows = []
    for field in dataclasses.fields(gan.Config):
        default = field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
        rows.append((f"`{field.name.replace('_', '-')}`", f"`{default}`", described.get(field.name, "")))
    return _table(("option", "default", "what it does"), rows) if rows else "It has none."


def _field_docs(owner: type) -> Iterator[tuple[str, str]]:
    if owner is object:
        return
    body = ast.parse(textwrap.dedent(inspect.getsource(owner))).body[0].body
    for field, text in zip(body, body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            yield field.target.id, " ".join(str(text.value.value).split())


def _gan_index(lines: dict[str, str], places: dict[str, list[str]]) -> str:
    parts = [
        "# GANs",
        "One file per paper; the name of the file is the name on the command line. Every page is made from its file.",
    ]
    for title, names in places.items():
        rows = [
            (f"[`{name}`]({name}.md)", lines[name].partition(": ")[2], "yes" if recorded().get(name) else "") for name in names
        ]
        parts += [f"## {title}", _table(("GAN", "what it is", "verified here"), rows)]
    parts.append(_toctree(sorted(lines)))
    return "\n\n".join(parts) + "\n"


# ---- commands -----------------------------------------------------------------------------------------------------------------


def _command_page(command: str) -> str:
    text = (HELP / f"gansmith-{command}.txt").read_text(encoding="utf-8")
    parts = [f"# gansmith {command}", f"```text\n{text.rstrip()}\n```"]
    if command == "train":
        parts.append("## Options of the data\n\nEvery kind of data has options of its own: `gansmith train --kind KIND --help`.")
        for kind in kinds.names():
            own = (HELP / f"data-options-{kind}.txt").read_text(encoding="utf-8")
            parts.append(f"### {kind}\n\n```text\n{own.rstrip()}\n```")
    return "\n\n".join(parts) + "\n"


def _command_index(commands: list[str]) -> str:
    text = (HELP / "gansmith.txt").read_text(encoding="utf-8")
    return f"# The command line\n\n```text\n{text.rstrip()}\n```\n\n{_toctree(commands)}\n"


# ---- metrics ------------------------------------------------------------------------------------------------------------------


def _metrics_page() -> str:
    parts = [
        "# Metrics by name",
        "What `gansmith list metrics` says. How they are used, and what fools them: [judging](../../judging.md).",
    ]
    rooms: dict[str, list[tuple[str, str, str]]] = {}
    for module, metrics in families().items():
        words = module.split(".")
        room = words[2] if words[1] == "kinds" else "any kind of data"
        rooms.setdefault(room, []).extend((f"`{name}`", line, better) for name, (better, line) in metrics.items())
    for room, rows in rooms.items():
        parts += [f"## {room[:1].upper()}{room[1:]}", _table(("metric", "what it says", "better"), rows)]
    return "\n\n".join(parts) + "\n"


# ---- Markdown -----------------------------------------------------------------------------------------------------------------


def _table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    lines = [list(head), ["---"] * len(list(head)), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def _toctree(names: Iterable[str]) -> str:
    return "```{toctree}\n:hidden:\n\n" + "\n".join(names) + "\n```"


def write(app: Sphinx) -> None:
    folder = Path(app.srcdir) / "reference" / "generated"
    written = set()
    for name, text in pages():
        path = folder / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        written.add(path)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for path in set(folder.rglob("*.md")) - written:
        path.unlink()


# ---- docstrings ---------------------------------------------------------------------------------------------------------------


def _literal(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Indented lines after a paragraph are commands, not quotations."""
    for i in range(len(lines) - 1, 0, -1):
        if lines[i].startswith("    ") and not lines[i - 1].strip():
            before = next((k for k in range(i - 1, -1, -1) if lines[k].strip()), None)
            if before is not None and not lines[before].startswith("    "):
                lines.insert(i, "")
                lines.insert(i, "::")
                lines.insert(i, "")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", write)
    app.connect("autodoc-process-docstring", _literal)
    return {"parallel_read_safe": True}
