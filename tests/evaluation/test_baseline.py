"""The Gaussian that every score is compared with."""

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.evaluation.baseline import baseline_name, trivial
from gansmith.evaluation.gaussian import gaussian


def test_points_are_drawn_with_the_mean_and_covariance_of_the_data(on_ring: tuple[Dataset, Dataset, Dataset]) -> None:
    train = on_ring[0]
    drawn, real = gaussian(train, 20_000, 0).arrays["point"], train.arrays["point"]
    assert np.allclose(drawn.mean(0), real.mean(0), atol=0.05)
    assert np.allclose(np.cov(drawn, rowvar=False), np.cov(real, rowvar=False), atol=0.08)
    assert baseline_name(train) == "Gaussian"


def test_labelled_images_have_the_mean_of_their_class_and_its_frequency(striped: tuple[Dataset, Dataset, Dataset]) -> None:
    train = striped[0]
    drawn, real = trivial(train, 3000, 0), train.packed(slice(None))
    assert baseline_name(train) == drawn.name == "pixel Gaussian per class"
    for label in range(3):
        mine, theirs = drawn.arrays["label"] == label, real["label"] == label
        assert abs(mine.mean() - theirs.mean()) < 0.04
        assert np.abs(drawn.arrays["image"][mine].mean(0) - real["image"][theirs].mean(0)).max() < 8


def test_the_same_seed_draws_the_same_examples(striped: tuple[Dataset, Dataset, Dataset]) -> None:
    assert gaussian(striped[0], 50, 3).fingerprint == gaussian(striped[0], 50, 3).fingerprint
    assert gaussian(striped[0], 50, 3).fingerprint != gaussian(striped[0], 50, 4).fingerprint
