"""What a run writes line by line: torn and damaged lines take no other with them."""

import json
from pathlib import Path

import pytest

from gansmith.errors import UserError
from gansmith.runs.folder import RunFolder

FACTS = {
    "name": "run",
    "gan": "gan",
    "preset": None,
    "config": {},
    "settings": {"seed": 0, "device": "cpu"},
    "mirror": False,
    "data": {"source": None, "opening": {}, "name": "toys", "kind": "points", "fingerprint": "x"},
    "environment": {},
}


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path / "run", FACTS)


def test_a_line_after_one_that_a_kill_cut_short_stands_alone(run: RunFolder) -> None:
    run.append("log.jsonl", [{"samples": 1}, {"samples": 2}])
    path = run.folder / "log.jsonl"
    path.write_bytes(path.read_bytes()[:-9])
    run.append("log.jsonl", [{"samples": 3}])
    assert run.records("log.jsonl") == [{"samples": 1}, {"samples": 3}]


def test_a_damaged_line_is_left_out_and_going_back_drops_it(run: RunFolder) -> None:
    run.append("log.jsonl", [{"samples": 1}, {"samples": 2}, {"samples": 3}])
    path = run.folder / "log.jsonl"
    path.write_text(path.read_text().replace('"samples": 2', '"samples": 0') + '{"seconds": 5}\n')
    run.append("evaluations.jsonl", [{"samples_seen": 1}, {"value": 2}])
    run.forget_after(2)
    assert [json.loads(line)["samples"] for line in path.read_text().splitlines()] == [1]
    assert run.records("evaluations.jsonl") == [{"samples_seen": 1}]


def test_a_run_whose_configuration_changed_is_refused_until_the_user_says_that_it_was_he(run: RunFolder) -> None:
    path = run.folder / "run.json"
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 1'))
    with pytest.raises(UserError, match="has changed since it was written"):
        RunFolder(run.folder)
    facts = json.loads(path.read_text())
    del facts["sha256"]
    path.write_text(json.dumps(facts))
    again = RunFolder(run.folder)
    assert again.facts["settings"]["seed"] == 1 and "sha256" not in again.facts
    again.write_facts()
    assert "sha256" in json.loads(path.read_text()) and RunFolder(run.folder).facts == again.facts


def test_a_start_that_was_killed_before_its_configuration_is_begun_again(tmp_path: Path) -> None:
    for name in ("samples", "checkpoints"):
        (tmp_path / "run" / name).mkdir(parents=True)
    assert RunFolder.create(tmp_path / "run", FACTS).facts["name"] == "run"
    (tmp_path / "other" / "samples").mkdir(parents=True)
    (tmp_path / "other" / "samples" / "mine.png").touch()
    with pytest.raises(UserError, match="other holds samples, which the run would replace"):
        RunFolder.create(tmp_path / "other", FACTS)
