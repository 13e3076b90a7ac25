import numpy as np
import torch

from gansmith.layers.lab import Coloured, lab_of, lightness_of, rgb_of


def lab(*colour: int) -> list[float]:
    """L, a and b of a colour of 8 bits."""
    x = torch.tensor(colour).view(1, 3, 1, 1) / 127.5 - 1
    lightness, a, b = lab_of(x).flatten().tolist()
    return [50 * (lightness + 1), 110 * a, 110 * b]


def test_lab_of_known_colours_is_that_of_the_tables():
    for colour, known in (
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 255, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
        ((119, 119, 119), (50.03, 0, 0)),
        ((255, 255, 255), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
    ):
        np.testing.assert_allclose(lab(*colour), known, atol=0.05)


def test_every_colour_comes_back_and_gradients_are_finite():
    x = (torch.rand(4, 3, 9, 7, generator=torch.Generator().manual_seed(0)) * 2 - 1).requires_grad_()
    torch.testing.assert_close(rgb_of(lab_of(x)), x, atol=2e-4, rtol=0)
    for even in (-1.0, 0.0, 1.0):
        y = torch.full((1, 3, 2, 2), even, requires_grad=True)
        rgb_of(lab_of(y)).sum().backward()
        assert y.grad is not None and y.grad.isfinite().all()


def test_a_coloured_image_keeps_the_lightness_of_the_gray_one():
    class Some(torch.nn.Module):
        def forward(self, lightness: torch.Tensor) -> torch.Tensor:
            return torch.cat([0.1 * lightness, 0.05 + 0 * lightness], 1)

    gray = torch.linspace(-0.4, 0.4, 24).view(1, 1, 4, 6)
    made = Coloured(Some())(gray)
    assert made.shape == (1, 3, 4, 6) and (made.amax(1) - made.amin(1)).min() > 0.05
    torch.testing.assert_close(lab_of(made)[:, :1], lightness_of(gray), atol=2e-3, rtol=0)
