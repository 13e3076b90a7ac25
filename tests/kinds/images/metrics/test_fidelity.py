import numpy as np
import pytest
import torch

from gansmith.data.dataset import Dataset
from gansmith.evaluation.judge import judge
from gansmith.kinds.images.metrics.fidelity import brightness, each, psnr
from gansmith.kinds.images.metrics.structural_similarity import ssim
from gansmith.kinds.images.metrics.trivial_translations import trivial
from tests import toys


def test_psnr_is_that_of_the_formula():
    a, b = torch.zeros(2, 3, 4, 4), torch.full((2, 3, 4, 4), 0.1)
    torch.testing.assert_close(psnr(a, b), torch.full((2,), 20.0))
    torch.testing.assert_close(psnr(a, a), torch.full((2,), 58.92), atol=0.01, rtol=0)


def test_brightness_runs_from_16_to_235():
    white, black = torch.ones(1, 3, 1, 1), torch.zeros(1, 3, 1, 1)
    assert brightness(white).item() * 255 == pytest.approx(235, abs=1e-3)
    assert brightness(black).item() * 255 == pytest.approx(16, abs=1e-3)
    gray = torch.rand(1, 1, 2, 2)
    assert torch.equal(brightness(gray), gray)


def test_ssim_equals_a_plain_loop_over_windows():
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 14, 13)), rng.random((2, 14, 13))
    taps = np.exp(-0.5 * ((np.arange(11) - 5) / 1.5) ** 2)
    window = np.outer(taps, taps) / taps.sum() ** 2
    values = []
    for x, y in zip(a, b, strict=True):
        for top in range(4):
            for left in range(3):
                one, other = x[top : top + 11, left : left + 11], y[top : top + 11, left : left + 11]
                mean_one, mean_other = (window * one).sum(), (window * other).sum()
                var_one, var_other = (window * (one - mean_one) ** 2).sum(), (window * (other - mean_other) ** 2).sum()
                across = (window * (one - mean_one) * (other - mean_other)).sum()
                c1, c2 = 0.01**2, 0.03**2
                upper = (2 * mean_one * mean_other + c1) * (2 * across + c2)
                values.append(upper / ((mean_one**2 + mean_other**2 + c1) * (var_one + var_other + c2)))
    found = ssim(torch.from_numpy(a)[None].float(), torch.from_numpy(b)[None].float())
    assert found.item() == pytest.approx(np.mean(values), abs=1e-4)


def test_a_colour_lookup_solves_negatives_and_the_input_does_not():
    data = toys.pairs()
    scores = {name: each(made, data)["psnr"].mean() for name, made in trivial(data, data).items()}
    assert scores["colour lookup"] > scores["mean image"] + 5 > scores["input"] + 5


def test_small_inputs_are_enlarged_for_the_baseline():
    made = trivial(data := toys.pairs(scale=2), data)
    assert set(made) == {"mean image", "colour lookup", "bicubic"} and made["bicubic"].arrays["b"].shape == data.arrays["b"].shape


def test_the_judge_measures_against_the_partner_and_sets_the_best_trivial_translation_beside_it(tmp_path):
    data = toys.pairs(80)
    train, held_out = data.split(0.5)
    real = held_out.batch(slice(None))
    near = {"a": real["a"], "b": (real["b"] + 0.02).clamp(-1, 1), "target": real["b"]}
    judgement = judge(Dataset.of(near, data.codec, "generated"), train, held_out, metrics=["psnr", "ssim", "l1"], cache=tmp_path)
    scores = {score.metric: score for score in judgement.scores}
    assert scores["psnr"].value == pytest.approx(-20 * np.log10(0.01), abs=1.5)
    lookup = each(trivial(train, held_out)["colour lookup"], held_out)["psnr"].mean()
    assert scores["psnr"].baseline == pytest.approx(lookup) and scores["psnr"].baseline_name.startswith("the best of")
    assert scores["psnr"].ceiling is None and scores["l1"].value < 0.02


def test_images_without_partners_are_skipped_with_a_sentence(tmp_path):
    data = toys.images(80)
    train, held_out = data.split(0.5)
    judgement = judge(held_out, train, held_out, metrics=["psnr"], cache=tmp_path)
    assert not judgement.scores and "no such pairs" in judgement.skipped["psnr"]
