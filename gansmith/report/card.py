"""The card of a model: README.md for people who find it on the hub, with pictures, scores, what it holds of the data, and how to use it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gansmith import kinds
from gansmith.report.facts import command, headline
from gansmith.report.numbers import finite, significant
from gansmith.report.records import Record, Records
from gansmith.report.scores import newest
from gansmith.report.verdict import verdict

UNKNOWN = "No licence was stated: ask the author before you use this model or what it makes."


def model_card(records: Records, name: str, facts: Mapping[str, Any], files: Sequence[str], licence: str | None = None) -> str:
    """The text of README.md for a model of this name on the hub. `facts` are those of model.json; `files` the pictures and media beside
    it, the picture first.
    """
    data, card = records.part("data"), facts.get("card", {})
    kind, task = str(data.get("kind")), str(data.get("task", "generation"))
    title = f"{records.run.get('gan')} on {data.get('name')}"
    parts = [_front_matter(kind, licence), f"# {title}", f"{', '.join(headline(records))}.", f"**{verdict(records)}**"]
    parts += [f"![What it makes]({file})" for file in files[:1]]
    if files[1:]:
        parts.append("Listen, look or read: " + ", ".join(f"[{file}]({file})" for file in files[1:]) + ".")
    parts += ["## Use", _use(name, kind, task, facts, len(data.get("classes") or ())), "## Scores", _scores(records.evaluations)]
    parts += ["## Data", _data(data, card)]
    if line := command(_without_place(records)):
        parts += ["## Training", f"```console\n{line}\n```", _versions(records.part("environment"))]
    parts += [
        "## Limits",
        "It makes what resembles its training data, with their gaps and prejudices, and it can be wrong about everything else. What it "
        "makes is synthetic: say so where you show it.",
        "## Licence",
        f"{licence}." if licence else UNKNOWN,
    ]
    return "\n\n".join(parts) + "\n"


def _without_place(records: Records) -> Records:
    """The records, their data named without the folders of the author's machine."""
    source = records.part("data").get("source")
    if not isinstance(source, str) or not Path(source).is_absolute():
        return records
    return replace(records, run={**records.run, "data": {**records.part("data"), "source": Path(source).name}})


def _front_matter(kind: str, licence: str | None) -> str:
    lines = ["library_name: gansmith", f"tags:\n- gan\n- gansmith\n- {kind}"]
    if task := kinds.find(kind).hub_task if kinds.is_known(kind) else None:
        lines.append(f"pipeline_tag: {task}")
    if licence:
        lines.append(f"license: {licence}")
    return "\n".join(["---", *lines, "---"])


def _use(name: str, kind: str, task: str, facts: Mapping[str, Any], classes: int) -> str:
    trust, trusted = (" --trust", ", trust=True") if facts.get("programs") else ("", "")
    if task in ("pairs", "domains"):
        line, call = f"gansmith translate {name} INPUT{trust}", "model.translate(example)"
    else:
        line, call = f"gansmith generate {name} -n 64{trust}", "model.generate(64, seed=0)"
    said = f"```console\npip install gansmith\n{line}\n```\n\n```python\nimport gansmith\n\n"
    said += f'model = gansmith.load("{name}"{trusted})\nmade = {call}\n```'
    if facts.get("programs"):
        named = ", ".join(f"`{program['file']}`" for program in facts["programs"].values())
        said += f"\n\nThis model needs a program of its author ({named}): read it before you trust it."
    said += f"\n\nFor other programs: `gansmith export {name} --to onnx --out model.onnx`, and then\n\n"
    made = MAKES if task == "generation" else "print([(one.name, one.shape) for one in session.get_inputs()])\n"
    return said + (
        '```python\nimport numpy\nimport onnxruntime\n\nsession = onnxruntime.InferenceSession("model.onnx")\n'
        f"{made.replace('CLASSES', str(classes))}```\n\n"
        '```javascript\nimport * as ort from "onnxruntime-web";\n\n'
        'const session = await ort.InferenceSession.create("model.onnx");\nconsole.log(session.inputNames, session.outputNames);\n```'
    )


MAKES = """rng = numpy.random.default_rng(0)
given = {
    one.name: rng.standard_normal((4, *one.shape[1:]), "float32") if "float" in one.type else rng.integers(0, CLASSES, 4)
    for one in session.get_inputs()
}
(made,) = session.run(None, given)
print(made.shape, made.min(), made.max())
"""
"""Four examples of an exported network that takes noise and, if there are any, classes."""


def _scores(evaluations: Sequence[Record]) -> str:
    found = newest(evaluations)
    if not found:
        return "It was not judged."
    rows = ["| score | value | 95% interval | trivial baseline | real against real | better |", "|---|---:|---|---:|---:|---|"]
    for record in found:
        low, high, baseline, ceiling = (_number(record, part) for part in ("low", "high", "baseline", "ceiling"))
        interval = f"{low} to {high}" if low and high else ""
        rows.append(
            f"| {record['name']} | {_number(record, 'value')} | {interval} | {baseline} | {ceiling} | {record.get('better', '')} |"
        )
    return "\n".join(rows)


def _number(record: Record, part: str) -> str:
    number = finite(record.get(part))
    return "" if number is None else significant(number)


def _data(data: Mapping[str, Any], card: Mapping[str, Any]) -> str:
    kind = str(data.get("kind"))
    unit = kinds.find(kind).unit if kinds.is_known(kind) else "examples"
    examples = finite(data.get("examples"))
    lines = [f"{examples:,.0f} {unit} of {data.get('name')}." if examples else f"{data.get('name')}."]
    classes = data.get("classes") or []
    if classes:
        shown = ", ".join(map(str, classes[:20])) + (f" and {len(classes) - 20} more" if len(classes) > 20 else "")
        lines.append(f"Classes: {shown}.")
    kept = card.get("kept")
    if isinstance(kept, Mapping) and kept:
        lines.append("What the model holds of the data, column by column:")
        lines += [f"- {column}: {what}" for column, what in kept.items()]
    known = {name: value for name, value in card.items() if name not in ("gan", "data", "examples", "samples", "kept")}
    lines += [f"- {name.replace('_', ' ')}: {value}" for name, value in known.items() if isinstance(value, str | int | float)]
    return "\n\n".join(lines[:2]) + ("\n\n" + "\n".join(lines[2:]) if lines[2:] else "")


def _versions(environment: Mapping[str, Any]) -> str:
    known = [f"{key} {environment[key]}" for key in ("gansmith", "torch", "python", "cpu", "device") if environment.get(key)]
    return f"Trained with {', '.join(known)}." if known else ""
