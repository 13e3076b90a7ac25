"""Orthogonal weights: as a start (Saxe et al. 2014) and as a pull (Brock et al. 2019, equation 3)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

LAYERS = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d, nn.Embedding)


def start_orthogonal(network: nn.Module) -> None:
    """Gives every linear, convolutional and embedding layer orthogonal weights (outputs by all else) and its bias zeros.

    To be called before spectral normalisation is put on.
    """
    for layer in network.modules():
        if isinstance(layer, LAYERS):
            nn.init.orthogonal_(layer.weight)
            if not isinstance(layer, nn.Embedding) and layer.bias is not None:
                nn.init.zeros_(layer.bias)


def orthogonal_penalty(network: nn.Module) -> Float[Tensor, ""]:
    """The sum over linear and convolutional layers of |W W^T with its diagonal zeroed|^2: rows may have any length.

    BigGAN's relaxed orthogonal regularisation (Brock et al. 2019, equation 3; weight 1e-4), where filters should be orthogonal to
    each other but are not forced to unit norm.
    """
    penalties = []
    for layer in network.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d)) and layer.weight.shape[0] > 1:
            rows = layer.weight.flatten(1).float()
            small = rows if rows.shape[0] <= rows.shape[1] else rows.T  # |W W^T| = |W^T W|
            penalties.append((small @ small.T).square().sum() - rows.square().sum(1).square().sum())
    return torch.stack(penalties).sum()
