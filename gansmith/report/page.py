"""The page: its sections in the order in which a reader asks."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from gansmith import kinds
from gansmith.report.advice import advice
from gansmith.report.curves import chart
from gansmith.report.facts import command, flat, headline, moment
from gansmith.report.judged import ends, neighbours, spreads, where
from gansmith.report.markup import Markup, definitions, join, tag
from gansmith.report.numbers import count, finite, significant
from gansmith.report.pictures import single, slider
from gansmith.report.records import Records
from gansmith.report.scores import newest, score_table
from gansmith.report.section import Section
from gansmith.report.series import GOOD, groups
from gansmith.report.verdict import verdict

# Nothing may be fetched: the browser itself refuses what is not inside the file.
POLICY = "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


FILES = {
    "model/": "the model, to use and to share; gansmith generate takes this folder",
    "samples/film.gif": "the samples over time as a film",
    "samples/latest.png": "the newest samples",
    "evaluations.jsonl": "every score, a line of JSON each",
    "judgement.json": "what the judge saw beyond the scores",
    "log.jsonl": "every tick of the training, a line of JSON each",
    "run.json": "the configuration with all values as used",
}
Part = tuple[str, Markup]
"""The heading of a section, and the section."""


def page(records: Records) -> str:
    """The whole document."""
    name = str(records.run.get("name") or records.folder.resolve().name)
    sections = [
        _verdict(records),
        _section("Health", advice(records.ticks, records.messages)),
        _scores(records),
        _samples(records),
        _section(*ends(records)),
        *(_section(*part) for part in _of_kind(records)),
        *(_section(*part(records)) for part in (neighbours, spreads, where)),
        _section("The samples over time", slider(records), "The same noise, seen by the generator as it learns."),
        _curves(records),
        *_facts(records),
    ]
    # Last, when every section has said what it could not find.
    missing = _missing(records)
    shown = [*sections, _files(records), missing]
    body = join(
        _header(records, name),
        _contents(shown),
        tag("main", *(content for _, content in filter(None, shown))),
        tag("footer", tag("p", "Made by gansmith.")),
    )
    here = Path(__file__)
    head = join(
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{name}: gansmith"),
        tag("link", rel="icon", href="data:,"),
        tag("style", Markup(here.with_name("page.css").read_text("utf-8"))),
        tag("noscript", tag("style", Markup(here.with_name("still.css").read_text("utf-8")))),
    )
    script = tag("script", Markup(here.with_name("page.js").read_text("utf-8")))
    return "<!doctype html>\n" + tag("html", tag("head", head), tag("body", body, script), lang="en") + "\n"


def _of_kind(records: Records) -> Iterator[Section]:
    """The sections that only this kind of data has."""
    kind = str(records.part("data").get("kind"))
    return kinds.find(kind).sections(records) if kinds.is_known(kind) else iter(())


def _section(heading: str, content: Markup | None, lead: str | None = None) -> Part | None:
    if content is None:
        return None
    about = tag("p", lead, class_="lead") if lead else None
    return heading, tag("section", tag("h2", heading), about, content, id=_anchor(heading))


def _anchor(heading: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", heading.lower()))


def _contents(parts: Iterable[Part | None]) -> Markup:
    """Links to the sections."""
    links = [tag("a", heading, href=f"#{_anchor(heading)}") for heading, _ in filter(None, parts)]
    return tag("nav", *links, aria_label="Contents")


def _files(records: Records) -> Part | None:
    """Links to what lies beside the page."""
    there = [(name, about) for name, about in FILES.items() if (records.folder / name).exists()]
    rows = [tag("li", tag("a", name, href=name, download=not name.endswith("/")), f": {about}") for name, about in there]
    lead = "They lie beside this page in the run's folder; a page that was sent alone has none of them."
    return _section("Files", tag("ul", *rows, class_="files"), lead) if rows else None


def _header(records: Records, name: str) -> Markup:
    parameters = records.part("parameters")
    environment = records.part("environment")
    speeds = [speed for tick in records.ticks[-20:] if (speed := finite(tick.get("examples_per_second"))) is not None]
    facts: dict[str, str] = {}
    if records.run.get("started"):
        facts["started"] = moment(str(records.run["started"]))
    facts |= {player: f"{count(finite(size) or 0)} parameters" for player, size in parameters.items()}
    if speeds:
        facts["speed"] = f"{significant(sum(speeds) / len(speeds))} examples per second"
    if environment:
        facts["machine"] = ", ".join(str(environment[key]) for key in ("device", "cpu") if environment.get(key))
    return tag(
        "header",
        tag("p", "gansmith run", class_="eyebrow"),
        tag("h1", name),
        tag("p", *(tag("span", part) for part in headline(records)), class_="headline"),
        definitions({key: value for key, value in facts.items() if value}),
    )


def _verdict(records: Records) -> Part | None:
    found = verdict(records)
    colour = {"good": "good", "wrong": "bad"}.get(found.word, "middling")
    lead = tag("p", tag("b", f"{found.word.capitalize()}: "), found.because, class_=f"calm {colour}")
    return _section("Verdict", join(lead, tag("pre", tag("code", found.command), tabindex=0) if found.command else None))


def _scores(records: Records) -> Part | None:
    skipped = records.judgement.get("skipped")
    table = score_table(records.evaluations, skipped if isinstance(skipped, Mapping) else {})
    seen = max((finite(record.get("samples_seen")) or 0 for record in newest(records.evaluations)), default=0)
    when = f"Taken after {count(seen)} samples. " if seen else ""
    lead = when + "The baseline is what a trivial generator gets, the ceiling what real examples get against other real ones."
    return _section("Scores", table, lead)


def _samples(records: Records) -> Part | None:
    samples = records.samples
    when = f" after {count(samples)} samples" if samples is not None else ""
    newest_preview = (records.previews[-1][1].name,) if records.previews else ()
    generated = single(records, ("final.png", "latest.png", *newest_preview), f"Generated examples{when}", f"Generated{when}")
    real = single(records, ("real.png",), "Real examples from the data", "Real")
    if generated is None:
        records.missing.append("samples/ has no picture of generated examples yet.")
    if generated is None and real is None:
        return None
    return _section("Samples", tag("div", generated, real, class_="pair"))


def _curves(records: Records) -> Part | None:
    blocks = []
    for heading, series in groups(records):
        charts = [drawn for drawn in map(chart, series) if drawn is not None]
        if charts:
            lead = tag("p", GOOD[heading], class_="note") if heading in GOOD else None
            blocks.append(join(tag("h3", heading), lead, tag("div", *charts, class_="charts")))
    if not blocks:
        return None
    return _section(
        "Curves", join(*blocks), "Everything over samples of real data seen. Point at a curve, or use the arrow keys."
    )


def _facts(records: Records) -> list[Part | None]:
    configuration = {
        heading: flat(records.part(key) | (records.part("used") if key == "config" else {}))
        for heading, key in (("Network and game", "config"), ("Training", "settings"), ("Data", "data"))
        if records.part(key)
    }
    blocks = [tag("div", tag("h3", heading), definitions(facts)) for heading, facts in configuration.items()]
    environment = flat(records.part("environment"))
    line = command(records)
    versions = ", ".join(f"{key} {environment[key]}" for key in ("gansmith", "torch", "python") if key in environment)
    with_versions = f"Trained with {versions}." if versions else None
    return [
        _section("Configuration", tag("div", *blocks, class_="columns") if blocks else None),
        _section("Environment", definitions(environment) if environment else None),
        _section("Train it again", tag("pre", tag("code", line), tabindex=0) if line else None, with_versions),
    ]


def _missing(records: Records) -> Part | None:
    if not records.missing:
        return None
    return _section("What is missing", tag("ul", *(tag("li", sentence) for sentence in records.missing), class_="missing"))
