"""gansmith demo: models that come with the package make something at once."""

import json

import pytest

import gansmith
from gansmith import demos
from gansmith.cli import main

LARGEST = 2_000_000  # bytes of a demo


def test_there_are_demos_and_each_is_small_and_says_what_was_measured():
    assert "digits" in demos.names()
    for name in demos.names():
        files = [path for path in (demos.HERE / name).rglob("*") if path.is_file()]
        assert sum(path.stat().st_size for path in files) < LARGEST
        facts = demos.demo(name)
        assert facts["command"].startswith("gansmith train ") and "/" not in facts["command"]  # nobody's folders
        assert facts["seconds"] > 0 and facts["scores"]
        for score in facts["scores"]:
            assert {"name", "value", "baseline", "ceiling", "better"} == score.keys() - {"rival", "rival_name"}


@pytest.mark.parametrize("name", demos.names())
def test_a_demo_makes_something_and_leaves_a_model_for_every_command(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["demo", name, "-n", "9", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (tmp_path / said["picture"]).is_file() and said["paths"]
    model = gansmith.load(f"demo-{name}")
    assert len(model.generate(2)) == 2
    assert main(["generate", f"demo-{name}", "-n", "4", "--out", "more"]) == 0


def test_what_a_demo_may_not_do_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demo-digits").mkdir()
    (tmp_path / "demo-digits" / "mine.txt").write_text("mine")
    assert main(["demo"]) == 2
    assert "holds something already" in capsys.readouterr().err
    assert main(["demo", "digit"]) == 2
    assert "did you mean" in capsys.readouterr().err
    assert main(["demo", "list"]) == 0
    assert "digits" in capsys.readouterr().out
