"""The Frechet distance of 2048-dimensional features: ours against scipy's matrix square root, in time and in value.

    python bench/frechet.py

One thread, CPU seconds of alternating runs (least of three). The last two cases commute, so that their distance is known in closed
form; the root of a singular product is only known to scipy up to rounding. The table goes to bench/results/frechet.md.
"""

import os
import time
import warnings
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"

import numpy as np
from scipy.linalg import sqrtm

from gansmith.metrics.frechet import Moments, frechet_distance

FEATURES = 2048
RESULTS = Path(__file__).parent / "results" / "frechet.md"


def by_square_root(a: Moments, b: Moments) -> float:
    """As pytorch-fid and clean-fid compute it."""
    root = sqrtm(a.covariance @ b.covariance)
    if not np.isfinite(root).all():
        offset = np.eye(FEATURES) * 1e-6
        root = sqrtm((a.covariance + offset) @ (b.covariance + offset))
    return float(np.square(a.mean - b.mean).sum() + np.trace(a.covariance) + np.trace(b.covariance) - 2 * np.trace(root).real)


def rectified(count: int, rng: np.random.Generator, mixing: np.ndarray, shift: float) -> Moments:
    """Moments of features that are not negative, as those of Inception."""
    return Moments.of(np.maximum(rng.normal(size=(count, FEATURES)) @ mixing + shift, 0))


def commuting(axes: np.ndarray, first: np.ndarray, second: np.ndarray) -> tuple[Moments, Moments, float]:
    a, b = (Moments(np.zeros(FEATURES), axes * spectrum @ axes.T, 10_000) for spectrum in (first, second))
    return a, b, float(np.square(np.sqrt(first) - np.sqrt(second)).sum())


def cases() -> dict[str, tuple[Moments, Moments, float | None]]:
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(FEATURES, FEATURES)) * np.exp(-3 * np.arange(FEATURES) / FEATURES) / FEATURES**0.5
    other = mixing + 0.1 * rng.normal(size=mixing.shape) / FEATURES**0.5
    axes = np.linalg.qr(rng.normal(size=(FEATURES, FEATURES)))[0]
    falling = np.logspace(0, -14, FEATURES)
    gap = np.where(np.arange(FEATURES) < 700, 1.0, 0.0)
    return {
        "10,000 and 10,000 examples": (rectified(10_000, rng, mixing, 0.1), rectified(10_000, rng, other, 0.12), None),
        "the same distribution": (rectified(10_000, rng, mixing, 0.1), rectified(10_000, rng, mixing, 0.1), None),
        "1,000 and 10,000 examples (singular)": (rectified(1000, rng, mixing, 0.1), rectified(10_000, rng, other, 0.12), None),
        "1,000 and 1,000 examples (singular)": (rectified(1000, rng, mixing, 0.1), rectified(1000, rng, other, 0.12), None),
        "condition number 1e14": commuting(axes, falling, rng.permutation(falling)),
        "rank 700 of 2048": commuting(axes, gap, gap * rng.uniform(0.5, 2, FEATURES)),
    }


def main() -> None:
    lines = ["| case | sqrtm, CPU s | ours, CPU s | faster | distance | relative deviation | of sqrtm |", "|---" * 7 + "|"]
    for name, (a, b, truth) in cases().items():
        seconds = {by_square_root: np.inf, frechet_distance: np.inf}
        values = {}
        for _ in range(3):
            for method in seconds:
                began = time.thread_time()
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    values[method] = method(a, b)
                seconds[method] = min(seconds[method], time.thread_time() - began)
        slow, fast = seconds.values()
        expected = values[by_square_root] if truth is None else truth
        deviations = [abs(value - expected) / expected for value in values.values()]
        of_root = "reference" if truth is None else f"{deviations[0]:.1e}"
        lines.append(
            f"| {name} | {slow:.2f} | {fast:.2f} | {slow / fast:.1f} x | {values[frechet_distance]:.6g} | {deviations[1]:.1e} | {of_root} |"
        )
        print(lines[-1], flush=True)
    RESULTS.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
