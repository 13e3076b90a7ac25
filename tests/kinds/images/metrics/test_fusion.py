"""The measures of fusion against their definitions, pixel by pixel."""

from math import atan, exp, log2, pi, sqrt
from pathlib import Path

import numpy as np
import pytest
import torch

from gansmith.data.dataset import Dataset
from gansmith.evaluation.sides import Side
from gansmith.kinds.images.metrics import fusion
from gansmith.kinds.images.metrics.structural_similarity import ssim
from gansmith.metrics.registry import NotApplicableError
from tests import toys
from tests.metrics.plain_sides import real_side

RNG = np.random.default_rng(0)
A, B, F = RNG.integers(0, 256, (3, 12, 14)).astype(np.float64)


def tensor(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(image)[None]


def test_entropy_counts_levels_in_bits():
    quarters = np.repeat([0.0, 10.0, 20.0, 255.0], 6).reshape(4, 6)
    assert fusion.entropy(tensor(quarters)).item() == pytest.approx(2.0)
    assert fusion.entropy(tensor(np.full((4, 4), 7.0))).item() == pytest.approx(0.0, abs=1e-12)
    counts = [np.sum(level == F) / F.size for level in range(256)]
    assert fusion.entropy(tensor(F)).item() == pytest.approx(-sum(share * log2(share) for share in counts if share))


def test_deviation_and_spatial_frequency_are_those_of_loops():
    mean = F.sum() / F.size
    assert fusion.deviation(tensor(F)).item() == pytest.approx(sqrt(sum((x - mean) ** 2 for x in F.flat) / F.size))
    rows = sum((F[i, j] - F[i, j - 1]) ** 2 for i in range(12) for j in range(1, 14)) / F.size
    columns = sum((F[i, j] - F[i - 1, j]) ** 2 for i in range(1, 12) for j in range(14)) / F.size
    assert fusion.spatial_frequency(tensor(F)).item() == pytest.approx(sqrt(rows + columns))


def test_correlation_is_numpys_and_that_of_a_flat_image_is_none():
    assert fusion.correlation(tensor(A), tensor(F)).item() == pytest.approx(np.corrcoef(A.flat, F.flat)[0, 1])
    assert fusion.correlation(tensor(A), tensor(np.zeros_like(A))).item() == 0


def test_mutual_information_is_the_divergence_from_independence():
    joint = np.zeros((256, 256))
    coarse_a, coarse_f = A // 64, F // 64
    for first, second in zip(coarse_a.flat, coarse_f.flat, strict=True):
        joint[int(first), int(second)] += 1 / A.size
    product = joint.sum(1)[:, None] * joint.sum(0)[None]
    expected = sum(p * log2(p / q) for p, q in zip(joint.flat, product.flat, strict=True) if p)
    assert fusion.mutual_information(tensor(coarse_a), tensor(coarse_f)).item() == pytest.approx(expected)
    own = fusion.mutual_information(tensor(A), tensor(A)).item()
    assert own == pytest.approx(fusion.entropy(tensor(A)).item())


def edges(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sobel's strength and direction by loops."""
    padded = np.pad(image, 1, mode="edge")
    strength, direction = np.zeros_like(image), np.zeros_like(image)
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            p = padded[i : i + 3, j : j + 3]
            across = p[0, 2] + 2 * p[1, 2] + p[2, 2] - p[0, 0] - 2 * p[1, 0] - p[2, 0]
            up = p[0, 0] + 2 * p[0, 1] + p[0, 2] - p[2, 0] - 2 * p[2, 1] - p[2, 2]
            strength[i, j] = sqrt(across**2 + up**2)
            direction[i, j] = atan(up / across) if across else pi / 2
    return strength, direction


def test_qabf_is_that_of_xydeas_and_petrovic_pixel_by_pixel():
    fused_strength, fused_direction = edges(F)
    total = weights = 0.0
    for given in (A, B):
        strength, direction = edges(given)
        for i in range(12):
            for j in range(14):
                g, f = strength[i, j], fused_strength[i, j]
                ratio = 1.0 if g == f else min(f / g, g / f) if f and g else 0.0
                angle = 1 - abs(direction[i, j] - fused_direction[i, j]) / (pi / 2)
                kept = 0.9994 / (1 + exp(-15 * (ratio - 0.5))) * 0.9879 / (1 + exp(-22 * (angle - 0.8)))
                total, weights = total + kept * g, weights + g
    assert fusion.qabf(tensor(A), tensor(B), tensor(F)).item() == pytest.approx(total / weights, rel=1e-9)
    assert fusion.qabf(tensor(A), tensor(A), tensor(A)).item() == pytest.approx(
        0.9994 / (1 + exp(-7.5)) * 0.9879 / (1 + exp(-4.4)), rel=1e-9
    )


def test_the_families_measures_are_sums_or_means_over_both_images():
    found = fusion.measures(tensor(A), tensor(B), tensor(F))
    assert set(found) == set(fusion.METRICS)
    unit = {name: torch.from_numpy(x).float()[None, None] / 255 for name, x in {"a": A, "b": B, "f": F}.items()}
    expected = (ssim(unit["a"], unit["f"]) + ssim(unit["b"], unit["f"])) / 2
    torch.testing.assert_close(found["fusion_ssim"].float(), expected)
    both = fusion.mutual_information(tensor(A), tensor(F)) + fusion.mutual_information(tensor(B), tensor(F))
    torch.testing.assert_close(found["mutual_information"], both)


def test_colours_are_judged_by_their_brightness():
    image = torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1).expand(1, 3, 2, 2)
    torch.testing.assert_close(fusion.luma(image), torch.full((1, 2, 2), 0.299 * 255, dtype=torch.float64))


def side_of(data: Dataset, made: np.ndarray, folder: Path, name: str) -> Side:
    """Fused images of these pairs, judged without a feature network."""
    arrays = {"a": data.arrays["a"], "b": made, "target": data.arrays["b"]}
    fake = Dataset(name="fused", codec=data.codec, arrays=arrays, fingerprint="fused")
    real = real_side(data, data, folder)
    return Side(name=name, data=fake, rows=np.arange(len(data)), lessons=fake, everything=fake, reference=data, real=real)


def test_the_baseline_is_the_best_of_what_needs_no_training_by_each_measure(tmp_path: Path):
    data = toys.pairs()
    mean = ((data.arrays["a"].astype(int) + data.arrays["b"]) // 2).astype(np.uint8)
    made, baseline = (fusion.measure(side_of(data, mean, tmp_path, name)) for name in ("generated", "baseline"))
    for name in fusion.METRICS:
        assert baseline[name].value >= made[name].value - 0.02 * abs(made[name].value) - 0.01, name


def test_pairs_of_two_sizes_have_no_fusion(tmp_path: Path):
    data = toys.pairs(scale=2)
    with pytest.raises(NotApplicableError, match="two images of one scene and size"):
        fusion.measure(side_of(data, data.arrays["b"], tmp_path, "generated"))
