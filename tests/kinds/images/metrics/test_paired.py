"""Distances from the real partner: the networks against their formulas, the families against the trivial translations."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import conv2d, relu

from gansmith.data.dataset import Dataset
from gansmith.errors import UserError
from gansmith.evaluation.sides import Side
from gansmith.kinds.images.metrics import paired_classifier as partners_classifier
from gansmith.kinds.images.metrics.paired import distances, partner_distance
from gansmith.kinds.images.metrics.trivial_translations import trivial
from gansmith.metrics.registry import NotApplicableError
from gansmith.networks.pretrained.dists_network import CHANNELS, DISTS
from tests import toys
from tests.kinds.images.metrics.test_perceptual import LAYOUTS, random_weights
from tests.metrics.plain_sides import real_side

L2_WINDOW = np.outer([0.25, 0.5, 0.25], [0.25, 0.5, 0.25])


def dists_files(folder: Path) -> tuple[dict, torch.Tensor, torch.Tensor, DISTS]:
    trunk, _, trunk_path, _ = random_weights("vgg", folder)
    rng = torch.Generator().manual_seed(1)
    alpha, beta = torch.rand(2, 1, sum(CHANNELS), 1, 1, generator=rng)
    torch.save({"alpha": alpha, "beta": beta}, folder / "weights.pt")
    return trunk, alpha.flatten(), beta.flatten(), DISTS().loaded(trunk_path, folder / "weights.pt")


def test_dists_is_that_of_the_papers_equations(tmp_path: Path):
    trunk, alpha, beta, network = dists_files(tmp_path)
    first, second = torch.rand(2, 1, 3, 18, 21) * 2 - 1
    layers, read = LAYOUTS["vgg"]

    def maps(image: torch.Tensor) -> list[torch.Tensor]:
        found = [(image + 1) / 2]
        x = (found[0] - torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)) / torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
        for layer in layers:
            if isinstance(layer, str):
                squares = x.square()
                pooled = [
                    conv2d(squares[:, i : i + 1], torch.from_numpy(L2_WINDOW).float()[None, None], stride=2, padding=1)
                    for i in range(x.shape[1])
                ]
                x = (torch.cat(pooled, 1) + 1e-12).sqrt()
                continue
            index, _, stride, padding = layer
            x = relu(conv2d(x, trunk[f"features.{index}.weight"], trunk[f"features.{index}.bias"], stride, padding))
            if index in read:
                found.append(x)
        return found

    similarity, place = 0.0, 0
    for x, y in zip(maps(first), maps(second), strict=True):
        for channel in range(x.shape[1]):
            p, q = x[0, channel].double().numpy(), y[0, channel].double().numpy()
            texture = (2 * p.mean() * q.mean() + 1e-6) / (p.mean() ** 2 + q.mean() ** 2 + 1e-6)
            structure = (2 * ((p - p.mean()) * (q - q.mean())).mean() + 1e-6) / (p.var() + q.var() + 1e-6)
            similarity += float(alpha[place]) * texture + float(beta[place]) * structure
            place += 1
    expected = 1 - similarity / float(alpha.sum() + beta.sum())
    assert network(first, second).item() == pytest.approx(expected, abs=2e-5)
    assert network(first, first).item() == pytest.approx(0, abs=1e-5)


def test_files_that_hold_something_else_are_named(tmp_path: Path):
    _, _, trunk, _ = random_weights("vgg", tmp_path)
    torch.save({"alpha": torch.zeros(3)}, tmp_path / "other.pt")
    with pytest.raises(UserError, match="other.pt should hold the weights of DISTS"):
        DISTS().loaded(trunk, tmp_path / "other.pt")
    with pytest.raises(UserError, match="should hold VGG16"):
        DISTS().loaded(tmp_path / "other.pt", tmp_path / "other.pt")


class Pixelwise:
    name = "pixelwise"

    def __call__(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        return (first - second).abs().flatten(1).mean(1)


def side_of(data: Dataset, made: np.ndarray, folder: Path, name: str) -> Side:
    arrays = {"a": data.arrays["a"], "b": made, "target": data.arrays["b"]}
    fake = Dataset(name="made", codec=data.codec, arrays=arrays, fingerprint="made")
    return Side(
        name=name,
        data=fake,
        rows=np.arange(len(data)),
        lessons=fake,
        everything=fake,
        reference=data,
        real=real_side(data, data, folder),
    )


def test_the_mean_distance_stands_beside_the_nearest_trivial_translation(tmp_path: Path):
    data = toys.pairs(scale=2)
    brighter = (data.arrays["b"] + np.uint8(5)).astype(np.uint8)
    own = partner_distance(side_of(data, brighter, tmp_path, "generated"), Pixelwise)
    assert own.value == pytest.approx(10 / 255, rel=1e-4) and own.low <= own.value <= own.high
    assert own.space == "pixelwise"
    baseline = partner_distance(side_of(data, brighter, tmp_path, "baseline"), Pixelwise)
    rivals = [distances(made, data, Pixelwise()).mean() for made in trivial(data, data).values()]
    assert baseline.value == pytest.approx(min(rivals)) and len(rivals) == 3


def test_where_nothing_belongs_together_there_is_no_distance(tmp_path: Path):
    data = toys.pairs()
    with pytest.raises(NotApplicableError, match="equal to themselves"):
        partner_distance(side_of(data, data.arrays["b"], tmp_path, "held-out"), Pixelwise)
    with pytest.raises(NotApplicableError, match="classifier trained on the spot, not in pixels"):
        partners_classifier.measure(side_of(data, data.arrays["b"], tmp_path, "generated"))
