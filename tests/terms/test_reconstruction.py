"""The structural similarity of reconstructions against a plain loop over windows."""

import numpy as np
import pytest
import torch

from gansmith.terms.reconstruction import reconstruction, structural_similarity


def naive_similarity(a, b, size=7):
    values = []
    for i in range(a.shape[0] - size + 1):
        for j in range(a.shape[1] - size + 1):
            x, y = a[i : i + size, j : j + size], b[i : i + size, j : j + size]
            covariance = ((x - x.mean()) * (y - y.mean())).mean()
            c1, c2 = (0.01 * 2) ** 2, (0.03 * 2) ** 2
            top = (2 * x.mean() * y.mean() + c1) * (2 * covariance + c2)
            values.append(top / ((x.mean() ** 2 + y.mean() ** 2 + c1) * (x.var() + y.var() + c2)))
    return np.mean(values)


def test_similarity_is_the_mean_over_windows():
    a, b = np.random.default_rng(0).uniform(-1, 1, (2, 11, 9))
    found = structural_similarity(torch.from_numpy(a)[None, None].float(), torch.from_numpy(b)[None, None].float())
    assert float(found) == pytest.approx(naive_similarity(a, b), abs=1e-5)


def test_equal_images_are_reconstructed_perfectly_and_others_are_not():
    image = torch.rand(2, 3, 12, 12) * 2 - 1
    assert float(reconstruction(image, image)) == pytest.approx(0, abs=1e-5)
    assert float(reconstruction(-image, image)) > 0.5
