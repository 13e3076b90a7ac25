"""The perceptual path length, against closed forms."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gansmith import gans
from gansmith.data.dataset import Dataset
from gansmith.evaluation.extractors import Extractor
from gansmith.evaluation.identity import Identity
from gansmith.evaluation.sides import Real, Side
from gansmith.kinds.images.features.classifier import Classifier
from gansmith.kinds.images.metrics import path_length
from gansmith.kinds.images.metrics.path_length import STEP, along_latents, cross_fade, path_lengths, slerp, trimmed_mean
from gansmith.metrics.registry import NotApplicableError, check_kind
from gansmith.model import Model
from gansmith.networks.pretrained.perceptual_network import LPIPS, TRUNKS
from tests.toys import SMALL, small

Three = tuple[Dataset, Dataset, Dataset]


@pytest.fixture(autouse=True)
def without_lpips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    for variable in (*(variable for _, _, variable in TRUNKS.values()), "GANSMITH_LPIPS_VGG"):
        monkeypatch.delenv(variable, raising=False)


def mean_square(first: Tensor, second: Tensor) -> Tensor:
    return (first - second).double().square().mean((1, 2, 3))


def side_of(three: Three, extractor: Extractor, folder: Path, *, name: str = "generated", model: Model | None = None) -> Side:
    train, held_out, fresh = three
    real = Real(
        judged=20,
        train=train,
        held_out=held_out,
        everything=train,
        extractor=extractor,
        count=100,
        lessons=100,
        seed=0,
        folder=folder,
    )
    data = fresh.subset(np.arange(100))
    return Side(name=name, data=data, lessons=data, everything=data, reference=train, real=real, model=model)


def model_of(name: str, data: Dataset) -> Model:
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        return Model(small(name, data), data.codec, {"gan": name})


def by_the_paper(first: Tensor, second: Tensor, place: Tensor) -> Tensor:
    """The paper's slerp of latents that are scaled to unit length, whose own length is 1."""
    a, b = (z / z.norm(dim=1, keepdim=True) for z in (first, second))
    cosine = (a * b).sum(1, keepdim=True)
    across = b - cosine * a
    angle = place * cosine.acos()
    return a * angle.cos() + across / across.norm(dim=1, keepdim=True) * angle.sin()


def test_the_great_circle_is_the_papers_for_networks_that_scale_their_noise() -> None:
    rng = torch.Generator().manual_seed(0)
    first, second = torch.randn(2, 50, 7, generator=rng, dtype=torch.float64)
    place = torch.rand(50, 1, generator=rng, dtype=torch.float64)
    between = slerp(first, second, place)
    assert torch.allclose(between / between.norm(dim=1, keepdim=True), by_the_paper(first, second, place))
    assert torch.allclose(between.norm(dim=1), torch.lerp(first.norm(dim=1), second.norm(dim=1), place[:, 0]))
    assert torch.allclose(slerp(first, second, torch.zeros(50, 1).double()), first)
    assert torch.allclose(slerp(first, second, torch.ones(50, 1).double()), second)


def test_parallel_latents_have_a_straight_line() -> None:
    first = torch.tensor([[1.0, 2.0], [3.0, 0.0]]).double()
    half = torch.full((2, 1), 0.5).double()
    assert torch.allclose(slerp(first, 3 * first, half), 2 * first)


def test_noise_between_two_draws_is_as_long_as_noise() -> None:
    first, second = torch.randn(2, 2000, 64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    middle = slerp(first, second, torch.full((2000, 1), 0.5).double())
    assert middle.norm(dim=1).mean() == pytest.approx(math.sqrt(64 - 0.5), rel=0.01)


def test_a_straight_fade_moves_by_the_distance_of_its_ends(striped: Three) -> None:
    train = striped[0]
    lengths = path_lengths(cross_fade(train, torch.Generator().manual_seed(3)), mean_square, 30, 30)
    ends = torch.randint(len(train), (2, 30), generator=torch.Generator().manual_seed(3)).numpy()
    first, second = (train.batch(positions)["image"] for positions in ends)
    assert lengths.dtype == torch.float64
    assert torch.allclose(lengths, mean_square(first, second), rtol=0.01)


class Sphere(nn.Module):
    """Images that are the direction of the noise: along the great circle they move by the angle between the ends."""

    def forward(self, noise: Tensor) -> Tensor:
        return (noise / noise.norm(dim=1, keepdim=True)).view(-1, 1, 2, 2)


def test_along_a_great_circle_images_move_by_the_angle(striped: Three, monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of("gan", striped[0])
    monkeypatch.setattr(model.gan, "exportable", lambda: (Sphere(), {"noise": torch.zeros(2, 4)}))
    rng, again = torch.Generator().manual_seed(0), torch.Generator().manual_seed(0)
    lengths = path_lengths(along_latents(model, rng), lambda a, b: 4 * mean_square(a, b), 40, 40)
    torch.rand(40, 1, generator=again, dtype=torch.float64)
    model.codec.conditions(40, again)
    first, second = torch.randn(2, 40, 4, generator=again, dtype=torch.float64)
    angle = torch.cosine_similarity(first, second).acos()
    assert torch.allclose(lengths, angle.square(), rtol=0.01)


IN_LEAPS = {"vqgan"}
"""Whose images are made of codes, which a small step of the noise leaves as they are."""


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in SMALL
        if "images" in gans.find(name).kinds and "generation" in gans.find(name).tasks and name not in IN_LEAPS
    ],
)
def test_every_gan_has_paths_with_the_label_kept(name: str, striped: Three) -> None:
    model = model_of(name, striped[0])
    model.gan.train()
    ends = along_latents(model, torch.Generator().manual_seed(0))
    with torch.inference_mode():
        at, after = ends(16)
    assert at.shape == after.shape == (16, 1, 8, 8)
    step = (after - at).abs().mean()
    assert 0 < step < 1000 * STEP * at.std()  # a changed label would leap
    assert model.gan.training


def test_the_trimmed_mean_leaves_out_the_hundredths_at_both_ends() -> None:
    lengths = np.random.default_rng(0).permutation(np.r_[1e9, np.arange(300.0), -1e9])
    ordered = sorted(lengths)
    low, high = ordered[math.floor(0.01 * 301)], ordered[math.ceil(0.99 * 301)]
    assert trimmed_mean(lengths) == pytest.approx(np.mean([one for one in lengths if low <= one <= high]))
    assert trimmed_mean(np.ones(20)) == 1


def test_a_generator_of_one_image_has_no_length_and_a_leaping_one_a_great_one(
    striped: Three, remembered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = Classifier.trained_on(striped[0], 0, remembered)
    model = model_of("gan", striped[0])
    images = striped[0].batch(slice(0, 2))["image"]

    def measured(network: Any) -> Any:
        monkeypatch.setattr(model.gan, "exportable", lambda: (network, {"noise": torch.zeros(2, 4)}))
        return path_length.measure(side_of(striped, space, remembered, model=model))["ppl"]

    class Leaping(nn.Module):
        def __init__(self, sharpness: float) -> None:
            super().__init__()
            self.sharpness = sharpness

        def forward(self, noise: Tensor) -> Tensor:
            share = torch.sigmoid(self.sharpness * noise[:, 0]).view(-1, 1, 1, 1)
            return images[:1] * share + images[1:] * (1 - share)

    constant, smooth, leaping = (measured(Leaping(sharpness)) for sharpness in (0.0, 1.0, 10.0))
    assert constant.value == 0
    assert leaping.value > 2 * smooth.value > 0
    assert smooth.space == "stripes-cnn"
    assert smooth.low < smooth.value < smooth.high
    assert smooth.samples == 100
    assert "without leaving out the extremes" in smooth.note


def test_the_baseline_fades_between_training_images(striped: Three, remembered: Path) -> None:
    space = Classifier.trained_on(striped[0], 0, remembered)
    found = path_length.measure(side_of(striped, space, remembered, name="baseline"))["ppl"]
    assert found.value > 0
    assert found.value == path_length.measure(side_of(striped, space, remembered, name="baseline"))["ppl"].value


def test_where_there_is_no_meaning_a_sentence_says_why(striped: Three, on_ring: Three, remembered: Path) -> None:
    space = Classifier.trained_on(striped[0], 0, remembered)
    with pytest.raises(NotApplicableError, match="needs a model"):
        path_length.measure(side_of(striped, space, remembered, name="held-out"))
    with pytest.raises(NotApplicableError, match="of images, and ring holds points"):
        check_kind("gansmith.kinds.images.metrics.path_length", on_ring[0])
    with pytest.raises(NotApplicableError, match="GANSMITH_VGG16 and GANSMITH_LPIPS_VGG"):
        path_length.measure(side_of(striped, Identity(), remembered, name="baseline"))


def test_lpips_is_taken_where_its_weights_are_at_hand(
    striped: Three, remembered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = Classifier.trained_on(striped[0], 0, remembered)
    side = side_of(striped, space, remembered, name="baseline")
    assert path_length.key(side.real) == ""
    for variable in ("GANSMITH_VGG16", "GANSMITH_LPIPS_VGG"):
        (tmp_path / variable).write_bytes(b"weights")
        monkeypatch.setenv(variable, str(tmp_path / variable))
    assert path_length.key(side.real) != ""
    asked = []
    monkeypatch.setattr(LPIPS, "pretrained", lambda net: asked.append(net) or LPIPS(net))
    assert path_length.distance_for(side.real, torch.device("cpu")).name == "lpips-vgg"
    assert asked == ["vgg"]
