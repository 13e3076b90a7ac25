"""Initial weights of image-to-image networks."""

from torch import nn


def normal_weights(network: nn.Module, deviation: float = 0.02) -> None:
    """Convolutions from N(0, 0.02), batch norm's scale from N(1, 0.02), biases zero (Isola et al. 2017, appendix 6.2)."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(module.weight, 0.0, deviation)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, deviation)
        else:
            continue
        if module.bias is not None:
            nn.init.zeros_(module.bias)
