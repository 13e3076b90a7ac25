"""Trainings whose options come from files (--config), studies over seeds (--seeds), and what run.json says of the values used."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

import gansmith
from gansmith.cli import main
from gansmith.cli.config_file import with_config
from gansmith.evaluation.compare import Comparison, Row
from gansmith.evaluation.significance import Estimate
from gansmith.planning.plan import commit

PLAYERS = ("--gan", "gan", "--gan.width", "8", "--gan.noise", "4", "--threads", "1")


@pytest.fixture
def points(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("points.npy", np.random.default_rng(0).standard_normal((200, 2)))
    return tmp_path


def facts(folder):
    return json.loads((folder / "run.json").read_text())


def test_a_run_json_trains_the_same_run_again_and_the_command_line_wins(points):
    assert (
        main(["train", "points.npy", *PLAYERS, "--samples", "64", "--batch", "16", "--seed", "3", "--no-evaluate", "--out", "a"])
        == 0
    )
    assert main(["train", "--config", "a/run.json", "--no-evaluate", "--out", "b"]) == 0
    assert main(["train", "--config=a", "--samples", "32", "--no-evaluate", "--out", "c", "--gan.noise", "5"]) == 0
    a, b, c = (facts(points / name) for name in "abc")
    for part in ("gan", "config", "settings", "mirror"):
        assert a[part] == b[part]
    assert a["data"]["fingerprint"] == b["data"]["fingerprint"]
    assert c["settings"]["samples"] == 32 and c["config"]["noise"] == 5
    assert c["settings"]["seed"] == 3 and c["config"]["width"] == 8


def test_a_file_of_ones_own_gives_options_by_their_names(points):
    (points / "mine.toml").write_text(
        'data = "points.npy"\ngan = "gan"\nsamples = 32\nbatch = 16\nthreads = 1\nno_evaluate = true\n[options]\nwidth = 8\n'
    )
    assert main(["train", "--config", "mine.toml", "--out", "a"]) == 0
    assert facts(points / "a")["config"]["width"] == 8 and facts(points / "a")["settings"]["samples"] == 32
    (points / "mine.json").write_text(json.dumps({"gan": "r3gan", "minutes": 5, "mirror": True, "options": {"widths": [8, 16]}}))
    found = with_config(["points.npy", "--config", "mine.json", "--samples", "9", "--no-mirror"])
    assert found.argv == ["--gan=r3gan", "--gan.widths", "8", "16", "points.npy", "--samples", "9", "--no-mirror"]
    assert found.data is None


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.toml", "minutes = ", "is no TOML file"),
        ("a.toml", 'out = "x"', "belongs on the command line"),
        ("a.toml", "minutes = 2026-01-01", "where a word, a number or a list is expected"),
        ("a.toml", "data = 3", "should name its data"),
        ("a.toml", 'gan = "evil.py"', "which would run on this machine"),
        ("a.json", "[1]", "should hold a JSON object"),
        ("a.json", '{"settings": {}, "config": {}}', "does not say how its run was trained"),
        ("a.json", '{"minuts": 3}', "has no option --minuts"),
        ("a.json", '{"columns": ["a", "--trust"]}', "where words and numbers are expected"),
        ("a.json", '{"columns": ["a", ["b"]]}', "where words and numbers are expected"),
        ("a.json", '{"trust=": true}', "is no name of an option"),
        ("a.json", '{"data": "--trust"}', "should name its data"),
        ("a.json", '{"settings": {}, "config": {}, "command": "gansmith train \'"}', "does not say how its run was trained"),
        ("a.json", '{"settings": {}, "config": {}, "command": "gansmith"}', "does not say how its run was trained"),
        ("a.json", '{"settings": {}, "config": {}, "command": "gansmith train x --trust"}', "belongs on the command line"),
        ("b.toml", "", "which does not exist"),
    ],
)
def test_a_file_that_says_something_else_is_refused_in_a_sentence(points, capsys, name, text, said):
    (points / "evil.py").touch()
    if name.startswith("a"):
        (points / name).write_text(text)
    assert main(["train", "points.npy", "--config", name]) == 2
    error = capsys.readouterr().err
    assert said in error and error.startswith("gansmith: ") and error.count("\n") == 1


@pytest.mark.parametrize(
    ("more", "facts"),
    [
        (["--gan", "projected"], {"options": {"features": "evil.py:maps"}}),
        (["--gan", "own"], {"options": {"generator": "evil.py:make", "critic": "evil.py:make"}}),
        (["--gan", "gan"], {"kind": "./theirs"}),
        ([], {"gan": "theirs/evil.py"}),
        ([], {"gan": "evil.py", "options": {"width": 8}}),
        ([], {"settings": {}, "config": {}, "command": "gansmith train points.npy --gan evil.py"}),
    ],
)
def test_no_program_that_the_file_names_runs_without_the_users_word(points, capsys, more, facts):
    code = "from pathlib import Path\nPath(__file__).with_suffix('.ran').touch()\n"
    (points / "theirs").mkdir()
    for file in ("evil.py", "theirs/kind.py", "theirs/evil.py"):
        (points / file).write_text(code)
    (points / "theirs.json").write_text(json.dumps(facts))
    data = "digits8" if "projected" in more else "points.npy"
    line = ["train", data, *more, "--config", "theirs.json", "--samples", "32", "--dry-run"]
    assert main(line) == 2
    assert "which would run on this machine" in capsys.readouterr().err
    assert not list(points.rglob("*.ran"))
    main([*line, "--trust"])  # what runs is no game, which is said
    assert list(points.rglob("*.ran"))


def test_a_program_that_the_command_line_names_runs_though_a_file_names_it_too(points):
    (points / "mine.py").write_text('from gansmith.gans.gan import OriginalGAN\n\n\nclass Mine(OriginalGAN):\n    """Mine."""\n')
    (points / "run.toml").write_text('gan = "mine.py"\nsamples = 32\nbatch = 16\n')
    assert main(["train", "points.npy", "--config", "run.toml", "--dry-run"]) == 2
    assert main(["train", "points.npy", "--config", "run.toml", "--gan", "./mine.py", "--dry-run"]) == 0


def test_a_study_trains_once_with_each_seed_goes_on_where_it_stopped_and_is_compared_as_one(points, capsys):
    line = ["train", "points.npy", *PLAYERS, "--samples", "64", "--batch", "16", "--seeds", "1-2", "--out", "study"]
    assert main(line) == 0
    said = capsys.readouterr().out
    assert "which differ in their seed alone" in said
    assert [facts(points / "study" / f"seed-{seed}")["settings"]["seed"] for seed in (1, 2)] == [1, 2]
    assert main(["compare", "study", "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {row["runs"] for row in rows} == {"2"} and "frechet[raw]" in {row["metric"] for row in rows}
    one = [
        float(line["value"])
        for seed in (1, 2)
        for line in records(points / "study" / f"seed-{seed}")
        if line["name"] == "frechet[raw]"
    ]
    mean = next(float(row["value"]) for row in rows if row["metric"] == "frechet[raw]")
    assert mean == pytest.approx(sum(one) / 2)
    assert main([*line[:-4], "--seeds", "2", "--out", "study"]) == 0
    assert "is trained and judged already" in capsys.readouterr().out


def records(folder):
    return [json.loads(line) for line in (folder / "evaluations.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("more", [["--seed", "4"], ["--dry-run"], ["--resume", "runs/a"], ["--out", "run"]])
def test_a_study_refuses_what_one_training_alone_has(points, capsys, more):
    (points / "run").mkdir()
    (points / "run" / "run.json").write_text("{}")
    assert main(["train", "points.npy", "--seeds", "1-2", *more]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_table_for_latex_has_a_row_of_scores_and_one_of_intervals():
    estimate = Estimate.of([1.5], -1.0, 2.0)
    row = Row(
        name="frechet[a_b]", better="lower", samples=9, reference_samples=9, seed=0, baseline=None, ceiling=0.5,
        estimates={"x&y": estimate}, differences=[],
    )  # fmt: skip
    lines = Comparison(columns={"x&y": ["x"]}, rows=[row], remarks=[]).latex().splitlines()
    assert lines[0] == r"\begin{tabular}{lrrr}"
    assert lines[2] == r"metric & x\&y & baseline & ceiling \\"
    assert lines[4] == r"frechet[a\_b] $\downarrow$ & 1.50 & -- & 0.500 \\"
    assert lines[5] == r" & \scriptsize $-$1.00 to 2.00 &  &  \\"


def test_run_json_holds_the_values_of_options_that_follow_from_data_and_budget(tmp_path):
    pictures = np.random.default_rng(0).integers(0, 255, (40, 16, 16, 1), dtype=np.uint8)
    run = gansmith.train(
        pictures, gan="r3gan", preset="small", samples=32, batch=16, threads=1, evaluate=False, out=tmp_path / "run",
        options={"top_width": 4, "critic_width": 4},
    )  # fmt: skip
    used = facts(run.folder)["used"]
    gamma = 16 * 16 / 800
    assert used == {"gamma": gamma, "gamma_end": gamma / 10, "top_width": 4, "schedule": 32}
    assert f"{gamma:g}" in (run.folder / "report.html").read_text()
    assert {"commit", "cpu", "torch_commit"} <= facts(run.folder)["environment"].keys()


def test_study_needs_data(capsys):
    assert main(["train", "--seeds", "1-2"]) == 2
    assert "Training needs data" in capsys.readouterr().err


def test_the_commit_of_a_checkout_is_what_git_says(tmp_path):
    (tmp_path / "gansmith" / "planning").mkdir(parents=True)
    git = tmp_path / ".git"
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "packed-refs").write_text("# pack-refs\n" + "b" * 40 + " refs/heads/main\n")
    place = tmp_path / "gansmith" / "planning"
    assert commit(place) == "b" * 40
    (git / "refs" / "heads" / "main").write_text("a" * 40 + "\n")
    assert commit(place) == "a" * 40
    (git / "HEAD").write_text("c" * 40 + "\n")
    assert commit(place) == "c" * 40
    assert commit(Path("/")) is None
