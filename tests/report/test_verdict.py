"""The verdict in words: it follows the scores, how long was trained, and the alarms."""

import json
from pathlib import Path

import numpy as np
import pytest

import gansmith
from gansmith.report.html import write_report
from gansmith.report.records import read_records
from gansmith.report.verdict import share_of_way, use_command, verdict


def score(name="frechet", value=1.0, baseline=100.0, ceiling=1.0, better="lower", **more):
    return {"name": f"{name}[cnn]", "value": value, "baseline": baseline, "ceiling": ceiling, "better": better, **more}


def change(folder, samples=400, scores=(), health=(), **data):
    """A run that has seen so many samples, with these scores and alarms at its end."""
    facts = json.loads((folder / "run.json").read_text())
    facts["data"] |= {"kind": "images", "task": "generation", "source": "/data/faces", **data}
    (folder / "run.json").write_text(json.dumps(facts))
    tick = {"samples": samples, "seconds": 120.0, "terms": {}, "gradient_norms": {}, "health": list(health)}
    (folder / "log.jsonl").write_text(json.dumps(tick) + "\n")
    (folder / "evaluations.jsonl").write_text("".join(json.dumps(record) + "\n" for record in scores))
    return verdict(read_records(folder))


@pytest.mark.parametrize(
    ("record", "share"),
    [
        (score(value=1.0), 1.0),
        (score(value=10.0), 0.5),  # between 100 and 1, the way is measured in factors
        (score(value=100.0), 0.0),
        (score(value=300.0), 0.0),
        (score("c2st", value=0.75, baseline=1.0, ceiling=0.5), 0.5),
        (score("recall", value=0.3, baseline=0.1, ceiling=0.9, better="higher"), 0.25),
        (score("recall", value=0.3, baseline=0.9, ceiling=0.9, better="higher"), None),
        (score("recall", value=0.3, baseline=0.95, ceiling=0.9, better="higher"), None),
        (score(value=float("nan")), None),
        (score(baseline=None), None),
    ],
)
def test_the_share_of_the_way(record, share):
    found = share_of_way(record)
    assert found == (None if share is None else pytest.approx(share))


def test_a_short_run_of_poor_scores_is_too_early_and_the_command_trains_until_it_is_not(run_folder):
    found = change(run_folder, 576, [score(value=90.0), score("precision", 0.0, 0.0, 0.9, "higher")])
    assert found.word == "too early" and "576 of about 200,000 samples" in found.because
    assert found.command == f"gansmith train --resume {run_folder} --minutes {-(-120 * 200_000 // 576 // 60)}"


def test_of_scores_that_are_mostly_nothing_the_best_is_named(run_folder):
    def scored(recall):
        own = [score("precision", 0.0, 0.6, 0.9, "higher"), score("coverage", 0.2, 0.3, 0.9, "higher")]
        return change(run_folder, 576, [*own, score("recall", recall, 0.1, 0.9, "higher")]).because

    assert scored(0.7).endswith(
        "The scores are in the median no better than those of the trivial baseline, the best of them 75% of the way to real examples."
    )
    assert scored(0.1).endswith("The scores are no better than those of the trivial baseline.")


def test_more_data_need_more_samples(run_folder):
    assert "of about 400,000 samples" in change(run_folder, 150_000, [], examples=10_000).because
    assert "of about 1,000,000 samples" in change(run_folder, 150_000, [], examples=80_000).because
    assert "of about 1,000,000 samples" in change(run_folder, 150_000, [], examples=10**7).because


def test_a_short_run_of_good_scores_is_good(run_folder):
    found = change(run_folder, 576, [score(value=1.2), score("precision", 0.88, 0.0, 0.9, "higher")])
    assert (found.word, found.command) == ("good", f"gansmith generate {run_folder}")
    assert change(run_folder, 576, [score(value=1.2)], task="pairs").command == f"gansmith translate {run_folder} INPUT"


def test_a_fair_run_names_what_is_weakest(run_folder):
    found = change(run_folder, 300_000, [score(value=5.0), score("recall", 0.3, 0.1, 0.9, "higher")])
    assert found.word == "fair"
    assert "Weakest is diversity: recall is 0.300, baseline 0.100, real 0.900." in found.because
    assert found.command == f"gansmith train --resume {run_folder} --minutes 4"


def test_a_long_run_without_a_result_is_wrong_and_another_gan_is_named(run_folder):
    assert change(run_folder, 300_000, [score(value=99.0)]).command == "gansmith train /data/faces --gan r3gan --seed 4"
    facts = json.loads((run_folder / "run.json").read_text())
    (run_folder / "run.json").write_text(json.dumps({**facts, "gan": "gan"}))
    found = change(run_folder, 300_000, [score(value=99.0)])
    assert (found.word, found.command) == ("wrong", "gansmith train /data/faces --gan r3gan")


def test_an_alarm_that_is_still_raised_makes_it_wrong(run_folder):
    alarm = {"name": "collapse", "level": "warning", "sentence": "Mode collapse: all are alike."}
    found = change(run_folder, 300_000, [score(value=1.0)], [alarm])
    assert (found.word, found.because) == ("wrong", "Mode collapse: all are alike.")
    assert change(run_folder, 300_000, [score(value=1.0)], [alarm | {"name": "cosmetic"}]).word == "good"


def test_memorisation_alone_decides_nothing(run_folder):
    assert change(run_folder, 300_000, [score("memorisation", 1.0, 0.2, 1.0, "higher")]).word == "not judged"


@pytest.mark.parametrize("damage", ["", "[]", "{", '{"data": 5, "settings": [1]}'])
def test_a_damaged_run_gets_a_verdict_too(run_folder, damage):
    for name in ("run.json", "log.jsonl", "evaluations.jsonl"):
        (run_folder / name).write_text(damage)
    assert verdict(read_records(run_folder)).word == "too early"


def test_the_report_begins_with_it(run_folder):
    change(run_folder, 576, [score(value=90.0)])
    page = write_report(run_folder).read_text("utf-8")
    assert page.index("Verdict") < page.index("Health") < page.index("Scores")
    assert "Too early: " in page and "gansmith train --resume" in page


def test_a_run_has_it(tmp_path):
    points = np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32)
    run = gansmith.train(points, gan="gan", samples=128, out=tmp_path / "run", threads=1, evaluate=False)
    assert run.verdict.word == "too early" and "128 of about 200,000 samples" in str(run.verdict)
    assert (run.verdict.command or "").startswith(f"gansmith train --resume {run.folder}")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"task": "generation", "use": "generate"}, "gansmith generate r"),
        ({"task": "pairs", "use": "speak"}, 'gansmith speak r "Good morning."'),
        ({"task": "domains", "use": "translate", "classes": ["anna", "b;n"]}, "gansmith translate r INPUT --makes 'b;n'"),
        ({"task": "pairs", "use": "generate; rm"}, "gansmith translate r INPUT"),
        ({"task": "pairs"}, "gansmith translate r INPUT"),
        ({}, "gansmith generate r"),
    ],
)
def test_the_command_that_uses_a_model_is_one_of_ours(data, says):
    assert use_command(Path("r"), data) == says
