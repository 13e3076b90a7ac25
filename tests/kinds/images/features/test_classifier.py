"""The classifier that is trained on the spot."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from gansmith.data.dataset import Dataset
from gansmith.kinds.images.features import classifier
from gansmith.kinds.images.features.classifier import Classifier, answers, one_cycle, shifted, train_classifier, turned
from gansmith.networks.pretrained.network import SmallNetwork, fit_to, side_for


@pytest.mark.parametrize(("height", "width", "channels"), [(8, 8, 1), (28, 28, 1), (30, 20, 3), (5, 5, 4), (256, 192, 3)])
def test_images_of_any_size_have_64_features(height: int, width: int, channels: int) -> None:
    side = side_for(height, width)
    network = SmallNetwork(channels, side, 7).eval()
    images = fit_to(torch.zeros(2, channels, height, width), side)
    assert side <= 64
    assert network.features(images).shape == (2, 64)
    assert network(images).shape == (2, 7)


def test_it_learns_the_classes_and_is_taken_from_the_cache_the_second_time(
    striped: tuple[Dataset, Dataset, Dataset], remembered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, held_out, _ = striped
    first = Classifier.trained_on(train, 0, remembered)
    assert first.name == "stripes-cnn"
    assert (answers(first.network, held_out) == held_out.labels()).mean() > 0.97
    monkeypatch.setattr(classifier, "train_classifier", None)
    second = Classifier.trained_on(train, 0, remembered)
    assert second.key == first.key
    assert torch.equal(second.features(held_out), first.features(held_out))


def test_training_is_repeatable_and_leaves_random_numbers_and_threads_alone(
    striped: tuple[Dataset, Dataset, Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classifier, "MINIMUM", 640)
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    small = striped[0].subset(np.arange(64))
    first, second, other = (train_classifier(small, seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["project.weight"], other["project.weight"])
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads


def test_without_labels_it_learns_quarter_turns(
    striped: tuple[Dataset, Dataset, Dataset], images: Callable[..., Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classifier, "MINIMUM", 6400)
    ramp = np.linspace(0, 200, 8).astype(np.uint8)[None, None, :, None].repeat(8, 3).repeat(64, 0)
    pixels = ramp + np.random.default_rng(0).integers(0, 40, ramp.shape, dtype=np.uint8)
    network = train_classifier(images({"image": pixels}), 0)
    batch = turned(torch.from_numpy(pixels).float() / 127.5 - 1)
    assert (network(batch).argmax(1) == torch.arange(64) % 4).float().mean() > 0.95


def test_autocast_and_inference_mode_of_the_caller_do_not_reach_it(
    striped: tuple[Dataset, Dataset, Dataset], remembered: Path
) -> None:
    held_out = striped[1]
    space = Classifier.trained_on(striped[0], 0, remembered)
    plain = space.features(held_out)
    with torch.autocast("cpu", torch.bfloat16), torch.inference_mode():
        inside = space.features(held_out)
    assert plain.dtype == inside.dtype == torch.float32
    assert torch.equal(plain, inside)


def test_shifts_move_each_image_within_its_repeated_border() -> None:
    images = torch.arange(3 * 25.0).view(3, 1, 5, 5)
    moved = shifted(images, 1, torch.Generator().manual_seed(0))
    padded = torch.nn.functional.pad(images, (1, 1, 1, 1), mode="replicate")
    for image, source in zip(moved, padded, strict=True):
        assert any(torch.equal(image, source[:, row : row + 5, column : column + 5]) for row in range(3) for column in range(3))


def test_turns_are_those_of_the_position_in_the_batch() -> None:
    images = torch.rand(8, 1, 4, 4)
    result = turned(images)
    assert all(torch.equal(result[i], torch.rot90(images[i], i % 4, (1, 2))) for i in range(8))


def test_the_learning_rate_rises_to_its_peak_and_falls_to_nothing() -> None:
    assert one_cycle(0.1) == pytest.approx(0.5)
    assert one_cycle(0.2) == pytest.approx(1)
    assert one_cycle(1.0) == pytest.approx(0)
