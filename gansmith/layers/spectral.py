"""Spectral normalisation of every layer of a network (Miyato et al. 2018), through torch's own parametrisation."""

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from gansmith.layers.orthogonal import LAYERS


def normalize_spectra(network: nn.Module, apart: nn.Module | None = None) -> None:
    """Divides the weights of every linear, convolutional and embedding layer but `apart` by their largest singular value, from now on.

    The singular vectors are buffers, improved by one power iteration at each forward pass in training mode. `gansmith.training.ema.Average`
    keeps those of averaged weights true.
    """
    for layer in list(network.modules()):
        if isinstance(layer, LAYERS) and layer is not apart:
            spectral_norm(layer)
