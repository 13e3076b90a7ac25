"""The path length penalty on a linear generator, whose Jacobian is known."""

import torch

from gansmith.terms.path_length import DECAY, PathLengthPenalty
from gansmith.training.seeds import normal_rows


def test_the_length_of_a_linear_generators_paths_is_that_of_the_transposed_image():
    matrix = torch.randn(2, 6, 3 * 4 * 5, requires_grad=True)  # layers, style, pixels
    styles = torch.randn(4, 2, 6, requires_grad=True)
    images = torch.einsum("bls,lsp->bp", styles, matrix).view(4, 3, 4, 5)
    penalty = PathLengthPenalty()
    penalty.mean.fill_(2.0)
    torch.manual_seed(1)
    value = penalty(images, styles)
    torch.manual_seed(1)
    y = normal_rows(4, 3, 4, 5).flatten(1) / 20**0.5
    slopes = torch.einsum("bp,lsp->bls", y, matrix)
    lengths = slopes.square().sum(2).mean(1).sqrt()
    mean = 2.0 + DECAY * (lengths.mean() - 2.0)
    torch.testing.assert_close(penalty.mean, mean.detach())
    torch.testing.assert_close(value, (lengths - mean.detach()).square().mean())
    value.backward()
    assert matrix.grad is not None and float(matrix.grad.abs().sum()) > 0
