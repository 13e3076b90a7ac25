"""Data options from the command line to run.json, the report and back; each of these once went wrong."""

import json
import shlex
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import gansmith
from gansmith import kinds
from gansmith.cli import main
from gansmith.report.facts import command
from gansmith.report.records import read_records

TINY = ["--samples", "64", "--batch", "16", "--threads", "1", "--no-evaluate", "--gan.width", "16"]


@pytest.fixture(autouse=True)
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table whose zip codes look like numbers, and the schema that says that they are none."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    rows = [f"{rng.choice([10115, 20095, 80331])},{rng.normal(40, 9):.1f},{rng.choice(['yes', 'no'])}" for _ in range(60)]
    (tmp_path / "t.csv").write_text("zip,age,paid\n" + "\n".join(rows) + "\n")
    (tmp_path / "s.json").write_text('{"zip": "categorical"}')
    return tmp_path


def series(folder: Path) -> None:
    steps = np.arange(300)
    lines = [f"{np.datetime64('2024-01-01') + i},{np.sin(i / 3):.3f},{i}" for i in steps]
    (folder / "x.csv").write_text("day,open,close\n" + "\n".join(lines) + "\n")


def test_inspect_takes_every_option_of_the_kind(capsys):
    assert main(["inspect", "t.csv", "--schema", "s.json", "--target", "age", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["kind"] == "tables" and "categor" in found["columns"]["zip"]
    assert main(["inspect", "t.csv", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["columns"]["zip"] != found["columns"]["zip"]


def test_inspect_sees_the_pairs_that_are_made(table, capsys):
    (table / "photos").mkdir()
    for number, pixels in enumerate(np.random.default_rng(0).integers(0, 256, (9, 16, 16, 3), np.uint8)):
        Image.fromarray(pixels).save(table / "photos" / f"{number}.png")
    (table / "masks").mkdir()
    Image.fromarray(np.pad(np.full((8, 8), 255, np.uint8), 4)).save(table / "masks" / "hole.png")
    for options in (["--degrade", "x2"], ["--masks", "masks"]):
        assert main(["inspect", "photos", *options, "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["unit"] == "pairs" and found["count"] == 9, options


@pytest.mark.parametrize(
    ("data", "options"),
    [
        ("x.csv", ["--columns", "open,close", "--window", "12", "--stride", "3"]),
        ("t.csv", ["--schema", "s.json", "--target", "age"]),
        ("t.csv", ["--schema", '{"zip": "categorical"}']),
    ],
)
def test_the_command_of_the_report_trains_on_the_same_data(table, monkeypatch, data, options):
    series(table)
    gan = ["--gan", "rcgan" if data == "x.csv" else "tvae"]
    assert main(["train", data, *options, *gan, "--out", "first", *TINY]) == 0
    words = shlex.split(command(read_records(table / "first")) or "")
    assert words[:2] == ["gansmith", "train"]
    (table / "elsewhere").mkdir()
    monkeypatch.chdir(table / "elsewhere")
    assert main([*words[1:], "--out", "again", "--no-evaluate"]) == 0
    first, again = gansmith.Run(table / "first"), gansmith.Run("again")
    assert first.facts["data"] == again.facts["data"] and first.facts["config"] == again.facts["config"]
    assert [each["terms"] for each in first.records("log.jsonl")] == [each["terms"] for each in again.records("log.jsonl")]


def test_a_run_is_resumed_from_another_folder(table, monkeypatch):
    (table / "public.csv").write_text((table / "t.csv").read_text())
    assert main(["train", "t.csv", "--schema", "s.json", "--public", "public.csv", "--gan", "tvae", "--out", "run", *TINY]) == 0
    opening = gansmith.Run("run").facts["data"]["opening"]
    assert opening == {"schema": str(table / "s.json"), "public": str(table / "public.csv")}
    (table / "elsewhere").mkdir()
    (table / "elsewhere" / "s.json").write_text('{"age": "categorical"}')
    monkeypatch.chdir(table / "elsewhere")
    run = gansmith.train(resume=str(table / "run"), samples=128, evaluate=False)
    assert run.records("log.jsonl")[-1]["samples"] == 128


def test_no_kind_has_an_option_that_is_only_for_itself():
    every = {field.name for name in kinds.names() for field in fields(kinds.options_of(name))}
    assert not {name for name in every if name.startswith("_") or name in ("like", "like_known", "cache", "originals")}


@pytest.mark.parametrize("suffix", [".csv", ".npz", ".parquet", ".png"])
def test_a_suffix_that_the_kind_writes_gives_that_one_file(table, suffix, capsys):
    assert main(["train", "t.csv", "--gan", "tvae", "--out", "run", *TINY]) == 0
    assert main(["generate", "run", "-n", "7", "--out", f"fake{suffix}"]) == 0
    assert (table / f"fake{suffix}").is_file()
    if suffix == ".csv":
        lines = (table / "fake.csv").read_text().splitlines()
        assert lines[0] == "zip,age,paid" and len(lines) == 8
    assert main(["generate", "run", "-n", "7", "--out", "fake"]) == 0
    assert (table / "fake" / "rows.csv").is_file()
    capsys.readouterr()
    assert main(["generate", "run", "--out", "fake.wav"]) == 2
    assert "ends in .wav, where tables are written as .csv, .parquet, .npz, .png" in capsys.readouterr().err
    assert main(["generate", "run", "-n", "3", "--out", "-"]) == 0
    assert capsys.readouterr().out.startswith("zip,age,paid\n")


def test_a_tie_of_two_kinds_is_a_question(table, monkeypatch, capsys):
    from gansmith.kinds.kind import SURE, Match

    monkeypatch.setattr(type(kinds.find("points")), "recognise", lambda self, source: Match(SURE, "it smells of points"))
    monkeypatch.setattr(type(kinds.find("images")), "recognise", lambda self, source: Match(SURE, "it glitters"))
    assert main(["inspect", "t.csv"]) == 2
    said = capsys.readouterr().err
    assert "images (since it glitters) and points (since it smells of points): say which with --kind" in said


def test_translating_asks_the_kind_of_what_the_model_makes(table, capsys):
    assert main(["train", "t.csv", "--gan", "tvae", "--out", "run", *TINY]) == 0
    assert main(["translate", "run", "t.csv"]) == 2
    assert "models of tables make examples from noise alone: use gansmith generate" in capsys.readouterr().err


def test_texts_are_printed_and_nothing_else_is(table, capsys):
    tiny = ["--samples", "64", "--batch", "16", "--threads", "1", "--no-evaluate", "--gan.width", "8", "--gan.embedding", "4"]
    (table / "a.txt").write_text("".join(f"line {number}\n" for number in range(40)))
    assert main(["train", "a.txt", "--length", "9", *tiny, "--out", "run"]) == 0
    capsys.readouterr()
    assert main(["generate", "run", "-n", "5", "--out", "-"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("\n") == 5
    assert main(["generate", "run", "-n", "5", "--out", "made.txt"]) == 0
    assert (table / "made.txt").read_text() == printed
    assert main(["generate", "run", "--out", "-", "--json"]) == 2
    assert len(gansmith.load("run").generate(3)) == 3 and "line" in (table / "run" / "samples" / "real.texts.txt").read_text()
