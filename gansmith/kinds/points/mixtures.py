"""Mixtures of Gaussians in the plane whose modes are known, as PacGAN counts them (Lin et al. 2018, section 4.1)."""

import numpy as np

from gansmith.kinds.points.files import Points

COUNT = 100_000


def ring() -> Points:
    """8 Gaussians of standard deviation 0.01, evenly on the unit circle."""
    angles = np.arange(8) * (2 * np.pi / 8)
    return _mixture("ring", np.stack([np.cos(angles), np.sin(angles)], 1), 0.01)


def grid() -> Points:
    """25 Gaussians of standard deviation 0.05, on the points of {-4, -2, 0, 2, 4} x {-4, -2, 0, 2, 4}."""
    ticks = np.array([-4.0, -2.0, 0.0, 2.0, 4.0])
    return _mixture("grid", np.stack(np.meshgrid(ticks, ticks, indexing="ij"), -1).reshape(-1, 2), 0.05)


def _mixture(name: str, modes: np.ndarray, sigma: float) -> Points:
    """100,000 samples, each from a mode chosen at random; always the same ones."""
    rng = np.random.Generator(np.random.Philox(key=0))
    points = modes[rng.integers(len(modes), size=COUNT)] + sigma * rng.standard_normal((COUNT, 2))
    return Points(name=name, points=points.astype(np.float32), columns=("x", "y"), facts={"modes": modes, "sigma": sigma})
