"""The judge: what it reports, what it refuses, and the cheats it must see through."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from gansmith import kinds
from gansmith.data.dataset import Dataset
from gansmith.errors import UserError
from gansmith.evaluation.judge import judge
from gansmith.evaluation.judgement import Judgement
from tests import toys

Three = tuple[Dataset, Dataset, Dataset]
WITHOUT_TRAINING = ["frechet", "precision", "recall", "density", "coverage", "memorisation"]


def values(judgement: Judgement) -> dict[str, tuple[float, ...]]:
    return {score.name: (score.value, score.low, score.high, score.baseline, score.ceiling) for score in judgement.scores}


def test_fresh_real_images_score_near_the_ceiling(striped: Three, remembered: Path) -> None:
    train, held_out, fresh = striped
    found = judge(fresh, train, held_out, cache=remembered)
    assert [score.metric for score in found.scores] == list(kinds.find("images").metrics)
    assert not found.skipped
    assert found["frechet"].name == "frechet[stripes-cnn]"
    assert found["frechet"].low <= found["frechet"].ceiling < found["frechet"].value < 0.7 * found["frechet"].baseline
    assert found["cas"].value > 0.9
    for metric in ("precision", "recall", "coverage", "cas"):
        assert found[metric].value == pytest.approx(found[metric].ceiling, abs=0.1)
    assert found["memorisation"].ceiling == pytest.approx(1)
    assert 0.8 < found["memorisation"].value < 1.25
    assert all(score.low <= score.value <= score.high for score in found.scores)
    assert "biased upward with 150 samples" in found["frechet"].note


def test_held_out_examples_score_exactly_the_ceiling(striped: Three, remembered: Path) -> None:
    train, held_out, _ = striped
    found = judge(held_out, train, held_out, metrics=WITHOUT_TRAINING, cache=remembered)
    assert all(score.value == pytest.approx(score.ceiling, abs=1e-6) for score in found.scores)


def test_copies_of_training_images_look_perfect_and_only_memorisation_tells(striped: Three, remembered: Path) -> None:
    train, held_out, _ = striped
    found = judge(train.subset(np.arange(150)), train, held_out, metrics=WITHOUT_TRAINING, cache=remembered)
    assert found["precision"].value > 0.95
    assert found["coverage"].value > 0.8
    assert found["memorisation"].value < 0.01
    assert "neighbours" not in vars(found)  # looked for when they are asked for
    assert found.neighbours.distances[:, 0].max() < 1e-4
    assert np.array_equal(found.neighbours.nearest[:, 0], found.neighbours.generated)
    assert found.neighbours.held_out_median > 100 * found.neighbours.generated_median


def test_one_perfect_image_repeated_is_precise_and_covers_nothing(striped: Three, remembered: Path) -> None:
    train, held_out, _ = striped
    found = judge(held_out.subset(np.zeros(150, int)), train, held_out, metrics=WITHOUT_TRAINING, cache=remembered)
    assert found["coverage"].value < 0.1
    assert found["recall"].value < 0.1
    assert found["frechet"].value > found["frechet"].baseline


def test_the_same_seed_gives_the_same_scores_with_a_cold_and_a_warm_cache(on_ring: Three, tmp_path: Path) -> None:
    train, held_out, fresh = on_ring
    cold, warm, colder = (judge(fresh, train, held_out, cache=tmp_path / name, seed=3) for name in ("a", "a", "b"))
    assert values(cold) == values(warm) == values(colder)


def test_a_second_model_on_the_same_data_trains_only_what_is_its_own(
    striped: Three, remembered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, held_out, fresh = striped
    judge(fresh, train, held_out, metrics=WITHOUT_TRAINING, cache=remembered)
    files = set(remembered.rglob("*"))

    def refuse(*_: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr("gansmith.kinds.images.features.classifier.train_classifier", refuse)
    monkeypatch.setattr("gansmith.evaluation.sides.trivial", refuse)
    judge(fresh.subset(np.arange(150)[::-1]), train, held_out, metrics=WITHOUT_TRAINING, cache=remembered)
    assert set(remembered.rglob("*")) == files


def test_true_points_cover_all_modes_and_a_collapsed_model_is_seen(on_ring: Three, tmp_path: Path) -> None:
    train, held_out, fresh = on_ring
    found = judge(fresh, train, held_out, cache=tmp_path)
    assert [score.metric for score in found.scores] == list(kinds.find("points").metrics)
    assert found["modes"].value == found["modes"].ceiling == 8
    assert found["high_quality"].value > 0.95 > 0.5 > found["high_quality"].baseline
    assert found["frechet"].name == "frechet[raw]"
    near_one_mode = fresh.subset(np.flatnonzero(np.linalg.norm(fresh.arrays["point"] - [2, 0], axis=1) < 0.5))
    collapsed = judge(
        near_one_mode, train, held_out, metrics=["modes", "mode_divergence", "coverage", "precision"], cache=tmp_path
    )
    assert collapsed["modes"].value == 1
    assert collapsed["mode_divergence"].value == pytest.approx(np.log(8))
    assert collapsed["precision"].value > 0.9
    assert collapsed["coverage"].value < 0.3


def test_metrics_without_meaning_are_skipped_with_a_sentence(
    striped: Three, images: Callable[..., Dataset], remembered: Path
) -> None:
    train, held_out, fresh = striped
    unlabelled = images({"image": fresh.packed(slice(None))["image"]})
    found = judge(unlabelled, train, held_out, metrics=["cas", "modes", "coverage"], cache=remembered)
    assert [score.metric for score in found.scores] == ["coverage"]
    assert "generated" in found.skipped["cas"]
    assert "of points, and stripes holds images" in found.skipped["modes"]


def test_judging_ends_where_its_time_does_after_the_first_metrics(on_ring: Three, tmp_path: Path) -> None:
    train, held_out, fresh = on_ring
    whole = judge(fresh, train, held_out, cache=tmp_path, overview=True, seconds=1e9)
    brief = judge(fresh, train, held_out, cache=tmp_path, overview=True, seconds=1e-9)
    assert not whole.left_out() and whole.overview is not None and brief.overview is None
    assert "memorisation" in brief.left_out() and "gansmith evaluate" in brief.skipped["memorisation"]
    measured = values(brief)
    assert measured and measured.items() <= values(whole).items() and len(measured) + len(brief.left_out()) == len(values(whole))


def test_user_mistakes_are_answered_in_one_sentence(
    striped: Three, on_ring: Three, ring: Callable[[np.ndarray], Dataset], tmp_path: Path
) -> None:
    train, held_out, fresh = striped
    with pytest.raises(UserError, match=r'no metric "frechett".*did you mean "frechet"'):
        judge(fresh, train, held_out, metrics=["frechett"], cache=tmp_path)
    with pytest.raises(UserError, match=r"generated examples must be .*images of 1x8x8.*points of 2"):
        judge(on_ring[2], train, held_out, cache=tmp_path)
    with pytest.raises(UserError, match=r"at least 20 .* 7 generated"):
        judge(fresh.subset(np.arange(7)), train, held_out, cache=tmp_path)
    broken = ring(np.full((50, 2), np.nan))
    with pytest.raises(UserError, match="50 of 50 generated examples"):
        judge(broken, on_ring[0], on_ring[1], cache=tmp_path)


def test_the_callers_random_numbers_and_autocast_stay_outside(on_ring: Three, tmp_path: Path) -> None:
    train, held_out, fresh = on_ring
    plain = judge(fresh, train, held_out, cache=tmp_path / "a")
    state = torch.get_rng_state()
    with torch.autocast("cpu", torch.bfloat16):
        inside = judge(fresh, train, held_out, cache=tmp_path / "b")
    assert values(plain) == values(inside)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_judgement_prints_as_a_table_and_as_json(on_ring: Three, tmp_path: Path) -> None:
    train, held_out, fresh = on_ring
    found = judge(fresh, train, held_out, metrics=["frechet", "modes", "cas"], samples=100, cache=tmp_path)
    console = Console(width=80)
    with console.capture() as printed:
        console.print(found.table())
    for text in ("frechet[raw] ↓", "ceiling", "cas skipped"):
        assert text in printed.get()
    narrow = Console(width=60)
    with narrow.capture() as printed:
        narrow.print(found.table())
    assert "…" not in printed.get() and f"{found.scores[0].value:.3f}" in printed.get()
    document = json.loads(json.dumps(found.to_json()))
    assert [score["samples"] for score in document["scores"]] == [100, 100]
    assert len(document["neighbours"]["nearest"]) == 16


def test_few_pairs_are_judged_by_what_looks_at_each_alone_and_the_rest_says_why_not(remembered: Path) -> None:
    train, held_out = toys.pairs(40), toys.pairs(45).subset(np.arange(40, 45))
    made = Dataset.of(
        {"b": held_out.batch(np.arange(5))["b"] * 0.9, "target": held_out.batch(np.arange(5))["b"]}, train.codec, "made"
    )
    found = judge(made, train, held_out, metrics=["psnr", "frechet", "ssim", "l1"], cache=remembered)
    assert [score.metric for score in found.scores] == ["psnr", "ssim", "l1"]
    assert found.skipped == {
        "frechet": "frechet needs at least 20 examples on every side, but there are 5 generated, 40 training and 5 held-out ones."
    }
    assert found["psnr"].samples == 5 and found["psnr"].baseline is not None and found.neighbours.distances.shape == (5, 3)
    with pytest.raises(UserError, match=r"at least 2 examples .* there are 1 generated"):
        judge(made.subset(np.arange(1)), train, held_out, metrics=["psnr", "frechet"], cache=remembered)
