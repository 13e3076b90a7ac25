"""Series made white."""

import numpy as np
import torch
from scipy.fft import dct

from gansmith.kinds.opening import open_dataset
from gansmith.kinds.series.spectrum import cosines, knots, second_moments
from gansmith.layers.whitening import Whitening


def walks(steps=24, count=3000, seed=0):
    moves = np.random.default_rng(seed).standard_normal((count, steps, 2)) @ np.array([[1.0, 0.9], [0.0, 0.1]])
    return moves.cumsum(1)


def test_the_cosine_matrix_is_the_orthonormal_transform_of_scipy():
    signal = np.random.default_rng(0).standard_normal(17)
    np.testing.assert_allclose(cosines(17) @ signal, dct(signal, norm="ortho"), atol=1e-12)


def test_white_series_have_variance_one_at_every_frequency_and_in_every_direction():
    data = open_dataset(walks().astype(np.float64), kind="series")
    whitening = Whitening(data.codec.spec)
    series = data.batch(slice(None))["series"]
    white = whitening.white(series)
    coefficients = torch.einsum("ft,bct->fbc", whitening.transform, white)
    covariance = torch.einsum("fbc,fbd->fcd", coefficients, coefficients) / len(series)
    torch.testing.assert_close(covariance, torch.eye(2).expand_as(covariance), atol=0.15, rtol=0)
    torch.testing.assert_close(whitening.coloured(white), series, atol=2e-5, rtol=0)


def test_white_noise_of_any_length_is_coloured_to_series_with_the_spectrum_of_the_data():
    series = np.random.default_rng(1).standard_normal((2000, 64, 1))
    series = series[:, 1:] + 0.8 * series[:, :-1]  # a moving average: lag-1 correlation 0.8 / 1.64
    whitening = Whitening(open_dataset(series, kind="series").codec.spec)
    made = whitening.coloured(torch.randn(500, 1, 200, generator=torch.Generator().manual_seed(0)))[:, :, 0]
    made = made - made.mean()
    correlation = float((made[:, 1:] * made[:, :-1]).mean() / made.square().mean())
    assert abs(correlation - 0.8 / 1.64) < 0.03


def test_covariances_are_kept_at_few_frequencies_of_long_series():
    assert len(knots(24)) == 24 and len(knots(1000)) <= 32 and knots(1000)[-1] == 999
    means, spectrum = second_moments(walks(100, 50))
    assert len(means) == 2 and len(spectrum) == 4 * len(knots(100))
