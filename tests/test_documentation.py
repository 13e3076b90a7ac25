"""Every command and every program in README and docs works as it is written."""

import ast
import importlib
import re
import shlex
from functools import cache

import pytest
from PIL import Image

import gansmith
from gansmith import cli, kinds
from gansmith.errors import UserError
from tests.documentation.pages import PAGES, ROOT, blocks, fenced, name_of, saved_as


def commands() -> list[str]:
    lines = [line for page in PAGES for block in blocks(page, "console") for line in block.splitlines()]
    parts = [part.strip() for line in lines for part in line.split("&&")]
    return sorted({part for part in parts if re.match(r"(gansmith |torchrun .*gansmith )", part)})


@cache
def saved() -> dict[str, str]:
    """The files that pages ask to be saved."""
    found = [(saved_as(before), text) for page in PAGES for _, text, before in fenced(page)]
    return {name: text for name, text in found if name}


@pytest.mark.parametrize("command", commands())
def test_a_documented_command_is_understood(command, tmp_path, monkeypatch):
    """Everything but the work itself: the options are parsed, and only missing files are complained about."""
    monkeypatch.chdir(tmp_path)
    for name, text in saved().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    for name in re.findall(r"(?<!--out )\b\w+\.png", command):
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    words = shlex.split(command, comments=True)
    words = words[words.index("gansmith") + 1 :]
    called = []

    def stop(*args, **named):
        called.append((args, named))
        raise UserError("enough")

    for name in ("train", "evaluate", "inspect", "load"):
        monkeypatch.setattr(f"gansmith.api.{name}", stop)
    for target in (
        "gansmith.serve.hall.named",
        "gansmith.serve.listening.listen",
        "gansmith.training.distributed.launch",
        "gansmith.model.Model.load",
        "gansmith.runs.folder.RunFolder.__init__",
        "gansmith.kinds.opening.open_dataset",
        "gansmith.serve.hall.named",
        "gansmith.serve.trainings.Workshop.__init__",
    ):
        monkeypatch.setattr(target, stop)
    status = cli.main(words)
    assert called or status == 0


def test_there_are_commands_to_test():
    assert len(commands()) > 10


def test_the_python_of_the_readme_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (program,) = blocks(ROOT / "README.md", "python")
    exec(program.replace("digits", "digits8").replace("minutes=2", "samples=640, batch=64, evaluate=False"), {})
    assert "(8, 8)" in capsys.readouterr().out


def test_the_gan_of_the_documentation_trains(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (program,) = blocks(ROOT / "docs" / "write-your-own-gan.md", "python")
    (tmp_path / "my_gan.py").write_text(program)
    run = gansmith.train("digits8", gan="my_gan.py", options={"width": 32}, samples=640, batch=64, evaluate=False)
    assert run.records("log.jsonl")[-1]["terms"].keys() == {"critic/squares", "generator/squares"}
    assert len(run.generate(3)) == 3


QUICK = {
    "docs/editing.md": {"minutes=2": "samples=640, batch=64, evaluate=False", "digits": "digits8", "frames=60": "frames=6"},
    "docs/tables.md": {
        "minutes=2.5": "samples=640",
        "minutes=1": "samples=640",
        "1000": "20",
        "(unseen)": '(unseen, metrics=["column_shapes"])',
    },
    "docs/exact-penalties.md": {},
}
"""Programs of pages that run as they stand, and what is made small for that."""
AROUND = {
    "docs/tables.md": """
import pandas as pd
frame = pd.DataFrame({"age": range(20, 80), "marital-status": 30 * ["Divorced", "Married"], "income": 20 * ["<=50K", "<=50K", ">50K"]})
frame_with_gaps = frame.assign(age=frame["age"].where(frame["age"] % 7 > 0))
inputs, answers, unseen = frame.drop(columns="income"), frame["income"], frame
""",
    "docs/exact-penalties.md": """
import torch
from torch.nn.functional import softplus
x, label, gamma = torch.randn(4, 3), None, 1.0
network = torch.nn.Linear(3, 1)
critic = lambda x, label: network(x)[:, 0]
""",
}
"""What such a program takes for granted."""


@pytest.mark.parametrize("page", QUICK)
def test_a_program_of_a_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    program = AROUND.get(page, "") + "".join(blocks(ROOT / page, "python"))
    for written, small in QUICK[page].items():
        assert written in program
        program = program.replace(written, small)
    exec(program, {"__name__": "program"})


def test_links_between_pages_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{name_of(page)}: {target}"


def programs() -> list[tuple[str, int, str]]:
    return [(name_of(page), i, text) for page in PAGES for i, text in enumerate(blocks(page, "python"))]


@pytest.mark.parametrize(("page", "place", "program"), programs(), ids=lambda value: value if isinstance(value, str) else None)
def test_a_documented_program_names_what_is_there(page, place, program):
    """It compiles, and every name that it imports from gansmith, or takes from it, exists."""
    tree = ast.parse(program)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "gansmith":
            module = importlib.import_module(node.module)
            for alias in node.names:
                assert hasattr(module, alias.name) or importlib.import_module(f"{node.module}.{alias.name}"), alias.name
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "gansmith":
            assert hasattr(gansmith, node.attr), node.attr


@pytest.mark.parametrize(
    "bench", sorted({path for page in PAGES for path in re.findall(r"bench/\w+\.py", page.read_text("utf-8"))})
)
def test_a_bench_that_pages_name_is_there(bench):
    assert (ROOT / bench).exists()


def test_the_kind_of_the_documentation_trains_resumes_and_generates(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (program,) = blocks(ROOT / "docs" / "write-your-own-kind.md", "python")
    (tmp_path / "palettes.py").write_text(program)
    kind = kinds.find("./palettes.py")
    (toy,) = kind.toys().values()
    toy.codec.save(3 * toy.codec.decode(toy.batch(slice(0, 60))), tmp_path / "favourites")
    arguments = ["favourites", "--kind", "./palettes.py", "--sort", "--batch", "16", "--threads", "1"]
    assert cli.main(["inspect", *arguments[:4]]) == 0
    assert "180 palettes" in capsys.readouterr().out
    assert cli.main(["train", *arguments, "--samples", "256", "--out", "run"]) == 0
    facts = gansmith.Run("run").facts
    assert facts["data"]["opening"] == {"kind": str(tmp_path / "palettes.py"), "sort": True} and facts["gan"] == "gan"
    scores = {record["name"].partition("[")[0] for record in gansmith.Run("run").records("evaluations.jsonl")}
    assert {"frechet", "memorisation"} <= scores
    gansmith.train(resume="run", samples=512, evaluate=False)
    capsys.readouterr()
    assert cli.main(["generate", "run", "-n", "3", "--out", "-"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if re.fullmatch(r"(#[0-9a-f]{6} ?){5}", line)]) == 3


def test_a_model_of_a_kind_that_is_a_path_runs_no_code_unasked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil.py").write_text("raise SystemExit('it ran')")
    with pytest.raises(UserError, match="would run on this machine"):
        kinds.load_spec({"kind": str(tmp_path / "evil.py"), "key": "x", "shape": [2]})
