"""Perceptual distances and the diversity they measure, against the formula written out."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d, interpolate, max_pool2d, relu

from gansmith.data.dataset import Dataset
from gansmith.errors import UserError
from gansmith.evaluation.extractors import Extractor
from gansmith.evaluation.identity import Identity
from gansmith.evaluation.sides import Real, Side
from gansmith.kinds.images.features.classifier import Classifier, OnTheSpot
from gansmith.kinds.images.metrics import lpips, perceptual
from gansmith.kinds.images.metrics.perceptual import pair_distances
from gansmith.metrics.registry import NotApplicableError, check_kind
from gansmith.networks.pretrained.network import SmallNetwork
from gansmith.networks.pretrained.perceptual_network import LPIPS, Net, distance, lpips_at_hand, within_sides

Three = tuple[Dataset, Dataset, Dataset]
State = dict[str, Tensor]

# torchvision's layouts: each convolution's index, sides, stride and padding; P is a maximum pool of this size and stride
ALEX = [(0, (64, 3, 11, 11), 4, 2), "P3", (3, (192, 64, 5, 5), 1, 2), "P3"]
ALEX += [(6, (384, 192, 3, 3), 1, 1), (8, (256, 384, 3, 3), 1, 1), (10, (256, 256, 3, 3), 1, 1)]
VGG = [(0, (64, 3, 3, 3), 1, 1), (2, (64, 64, 3, 3), 1, 1), "P2", (5, (128, 64, 3, 3), 1, 1), (7, (128, 128, 3, 3), 1, 1), "P2"]
VGG += [(10, (256, 128, 3, 3), 1, 1), (12, (256, 256, 3, 3), 1, 1), (14, (256, 256, 3, 3), 1, 1), "P2"]
VGG += [(17, (512, 256, 3, 3), 1, 1), (19, (512, 512, 3, 3), 1, 1), (21, (512, 512, 3, 3), 1, 1), "P2"]
VGG += [(24, (512, 512, 3, 3), 1, 1), (26, (512, 512, 3, 3), 1, 1), (28, (512, 512, 3, 3), 1, 1)]
LAYOUTS = {"alex": (ALEX, [0, 3, 6, 8, 10]), "vgg": (VGG, [2, 7, 14, 21, 28])}


def random_weights(net: Net, folder: Path) -> tuple[State, State, Path, Path]:
    """Random weights in the usual layouts, and the files that hold them."""
    rng = torch.Generator().manual_seed(0)
    layers, read = LAYOUTS[net]
    trunk = {"classifier.6.bias": torch.zeros(1000)}
    heads = {}
    for layer in layers:
        if not isinstance(layer, str):
            index, shape, _, _ = layer
            deviation = (2 / np.prod(shape[1:])) ** 0.5
            trunk[f"features.{index}.weight"] = torch.randn(shape, generator=rng) * deviation
            trunk[f"features.{index}.bias"] = torch.randn(shape[0], generator=rng) * 0.1
            if index in read:
                heads[f"lin{len(heads)}.model.1.weight"] = torch.rand(1, shape[0], 1, 1, generator=rng)
    torch.save(trunk, folder / "trunk.pth")
    torch.save(heads, folder / "heads.pth")
    return trunk, heads, folder / "trunk.pth", folder / "heads.pth"


def by_formula(net: Net, trunk: State, heads: State, first: Tensor, second: Tensor) -> Tensor:
    """LPIPS as section 3 of the paper and the package of its authors compute it, layer by layer."""
    shift, scale = torch.tensor([-0.030, -0.088, -0.188]), torch.tensor([0.458, 0.448, 0.450])
    x, y = ((images - shift.view(3, 1, 1)) / scale.view(3, 1, 1) for images in (first, second))
    total = torch.zeros(len(first))
    layers, read = LAYOUTS[net]
    for layer in layers:
        if isinstance(layer, str):
            x, y = (max_pool2d(z, int(layer[1]), 2) for z in (x, y))
            continue
        index, _, stride, padding = layer
        weight, bias = trunk[f"features.{index}.weight"], trunk[f"features.{index}.bias"]
        x, y = (relu(conv2d(z, weight, bias, stride, padding)) for z in (x, y))
        if index in read:
            a, b = (z / (z.square().sum(1, keepdim=True).sqrt() + 1e-10) for z in (x, y))
            weight = heads[f"lin{read.index(index)}.model.1.weight"]
            total += conv2d((a - b).square(), weight).mean((2, 3))[:, 0]
    return total


def side_of(data: Dataset, three: Three, extractor: Extractor, folder: Path) -> Side:
    train, held_out, _ = three
    real = Real(
        judged=20,
        train=train,
        held_out=held_out,
        everything=train,
        extractor=extractor,
        count=len(data),
        lessons=len(data),
        seed=0,
        folder=folder,
    )
    return Side(name="generated", data=data, lessons=data, everything=data, reference=train, real=real)


@pytest.mark.parametrize("net", ["alex", "vgg"])
def test_lpips_is_the_formula_on_weights_in_the_usual_layout(net: Net, tmp_path: Path) -> None:
    trunk, heads, trunk_path, heads_path = random_weights(net, tmp_path)
    network = LPIPS(net).loaded(trunk_path, heads_path)
    first, second = torch.rand(2, 3, 3, 70, 64, generator=torch.Generator().manual_seed(1)) * 2 - 1
    found, expected = network(first, second), by_formula(net, trunk, heads, first, second)
    assert expected.min() > 0.01
    assert torch.allclose(found, expected, rtol=1e-5, atol=1e-7)
    assert torch.equal(network(first, first), torch.zeros(3))
    assert torch.allclose(network(second, first), found, rtol=1e-6)


def test_gray_and_small_images_are_coloured_and_enlarged(tmp_path: Path) -> None:
    trunk, heads, trunk_path, heads_path = random_weights("alex", tmp_path)
    first, second = torch.rand(2, 3, 1, 28, 28, generator=torch.Generator().manual_seed(1)) * 2 - 1
    large = [interpolate(x, size=(64, 64), mode="bilinear", antialias=True).repeat(1, 3, 1, 1) for x in (first, second)]
    found = LPIPS("alex").loaded(trunk_path, heads_path)(first, second)
    assert torch.allclose(found, by_formula("alex", trunk, heads, *large), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("sides", "brought_to"), [((64, 256), (64, 256)), ((32, 48), (64, 96)), ((512, 1024), (128, 256)), ((100, 80), (100, 80))]
)
def test_images_are_brought_between_64_and_256_pixels(sides: tuple[int, int], brought_to: tuple[int, int]) -> None:
    assert within_sides(torch.zeros(1, 3, *sides)).shape[-2:] == brought_to


def test_weights_are_found_by_their_variables_and_damaged_ones_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    for variable in ("GANSMITH_ALEXNET", "GANSMITH_LPIPS_ALEX"):
        monkeypatch.delenv(variable, raising=False)
    assert lpips_at_hand("alex") is None
    _, _, trunk_path, heads_path = random_weights("alex", tmp_path)
    monkeypatch.setenv("GANSMITH_ALEXNET", str(trunk_path))
    assert lpips_at_hand("alex") is None
    monkeypatch.setenv("GANSMITH_LPIPS_ALEX", str(heads_path))
    assert str(trunk_path) in str(lpips_at_hand("alex"))
    assert LPIPS.pretrained("alex").name == "lpips-alex"
    monkeypatch.setenv("GANSMITH_LPIPS_ALEX", str(trunk_path))
    with pytest.raises(UserError, match="should hold the weights of lpips alex"):
        LPIPS.pretrained("alex")
    monkeypatch.setenv("GANSMITH_ALEXNET", str(heads_path))
    with pytest.raises(UserError, match="should hold alex in torchvision's layout"):
        LPIPS.pretrained("alex")


def test_on_the_spot_every_layer_counts_alike() -> None:
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        network = SmallNetwork(1, 8, 3).eval()
    space = OnTheSpot(Classifier(name="stripes-cnn", key="", network=network, side=8))
    first, second = torch.rand(2, 5, 1, 8, 8, generator=torch.Generator().manual_seed(1)) * 2 - 1
    expected = []
    with torch.no_grad():
        for x, y in zip(first, second, strict=True):
            total, x, y = 0.0, x[None], y[None]
            for layer in network.convolutions:
                x, y = layer(x), layer(y)
                places = [(row, column) for row in range(x.shape[2]) for column in range(x.shape[3])]
                for row, column in places:
                    a, b = x[0, :, row, column], y[0, :, row, column]
                    total += float((a / (a.norm() + 1e-10) - b / (b.norm() + 1e-10)).square().sum()) / len(places)
            expected.append(total)
        found = space(first, second)
    assert torch.allclose(found, torch.tensor(expected), rtol=1e-4)


def test_distance_of_unit_vectors_is_twice_one_minus_their_cosine() -> None:
    maps = torch.randn(6, 7, 2, 3, generator=torch.Generator().manual_seed(0))
    cosine = torch.cosine_similarity(maps[:3], maps[3:], dim=1)
    assert torch.allclose(distance([maps]), (2 - 2 * cosine).mean((1, 2)), atol=1e-6)


def test_pairs_are_disjoint_and_chosen_by_the_seed(striped: Three) -> None:
    data = striped[1].subset(np.arange(41))
    images = {image.numpy().tobytes(): index for index, image in enumerate(data.batch(slice(None))["image"])}
    met: list[int] = []

    def noting(first: Tensor, second: Tensor) -> Tensor:
        met.extend(images[image.numpy().tobytes()] for image in torch.cat([first, second]))
        return (first - second).abs().mean((1, 2, 3))

    distances = pair_distances(data, noting, 1000, 0)
    assert len(distances) == 20
    assert len(met) == len(set(met)) == 40
    assert torch.equal(distances, pair_distances(data, noting, 1000, 0))
    assert not torch.equal(distances, pair_distances(data, noting, 1000, 1))
    assert len(pair_distances(data, noting, 5, 0)) == 5


def test_diversity_tells_one_image_over_and_over_from_real_ones(striped: Three, remembered: Path) -> None:
    train, held_out, fresh = striped
    space = Classifier.trained_on(train, 0, remembered)
    real = perceptual.measure(side_of(fresh, striped, space, remembered))["perceptual_diversity"]
    ceiling = perceptual.measure(side_of(held_out, striped, space, remembered))["perceptual_diversity"]
    same = perceptual.measure(side_of(fresh.subset(np.zeros(60, int)), striped, space, remembered))["perceptual_diversity"]
    assert real.space == "stripes-cnn"
    assert real.low < real.value < real.high
    assert real.low < ceiling.value < real.high
    assert real.samples == len(fresh)
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_noise_looks_diverse_so_diversity_alone_is_no_quality(
    striped: Three, remembered: Path, images: Callable[..., Dataset]
) -> None:
    space = Classifier.trained_on(striped[0], 0, remembered)
    rng = np.random.default_rng(0)
    noise = images({"image": rng.integers(0, 256, (60, 1, 8, 8), np.uint8), "label": rng.integers(0, 3, 60)})
    found = [perceptual.measure(side_of(data, striped, space, remembered)) for data in (noise, striped[1])]
    assert found[0]["perceptual_diversity"].value > 0.5 * found[1]["perceptual_diversity"].value


def test_lpips_diversity_is_the_mean_of_its_pairs(striped: Three, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trunk, heads, trunk_path, heads_path = random_weights("alex", tmp_path)
    monkeypatch.setenv("GANSMITH_ALEXNET", str(trunk_path))
    monkeypatch.setenv("GANSMITH_LPIPS_ALEX", str(heads_path))
    data = striped[2].subset(np.arange(40))
    side = side_of(data, striped, Identity(), tmp_path)
    found = lpips.measure(side)["lpips"]
    order = np.random.default_rng(0).permutation(40)
    large = interpolate(data.batch(order)["image"], size=(64, 64), mode="bilinear", antialias=True).repeat(1, 3, 1, 1)
    assert found.value == pytest.approx(float(by_formula("alex", trunk, heads, large[::2], large[1::2]).mean()), rel=1e-5)
    assert found.space == "lpips-alex"
    assert str(trunk_path) in lpips.key(side.real)


def test_where_there_is_no_meaning_a_sentence_says_why(striped: Three, on_ring: Three, remembered: Path, tmp_path: Path) -> None:
    with pytest.raises(NotApplicableError, match="not in raw"):
        perceptual.measure(side_of(striped[1], striped, Identity(), tmp_path))
    with pytest.raises(NotApplicableError, match="of images, and ring holds points"):
        check_kind("gansmith.kinds.images.metrics.lpips", on_ring[0])
    few = striped[1].subset(np.arange(39))
    with pytest.raises(NotApplicableError, match="at least 40 images, but there are 39"):
        perceptual.measure(side_of(few, striped, Classifier.trained_on(striped[0], 0, remembered), remembered))
