"""Published networks as feature spaces, through timm and torchvision (extra [features]).

Every network sees the whole image resized to its input, with its own interpolation, mean and deviation: its usual crop of the
middle would hide the border from judgement.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize

from gansmith.data.programs import allow_program
from gansmith.data.suggestions import did_you_mean
from gansmith.errors import UserError, missing_extra
from gansmith.networks.pretrained.given import MODES, Given


@dataclass(frozen=True)
class Known:
    """A network of timm with the way in which judges use it."""

    network: str
    options: dict[str, Any] = field(default_factory=dict)
    size: int | None = None
    """The side of its input, where it is not the network's usual one."""
    unit_length: bool = False
    """Whether its features are compared by their direction."""


KNOWN = {
    # the class token at 224 pixels, as in Stein et al. 2023, Exposing flaws of generative model evaluation metrics
    "dinov2": Known("vit_large_patch14_dinov2.lvd142m", {"num_classes": 0, "img_size": 224}, 224),
    "dinov2-b": Known("vit_base_patch14_dinov2.lvd142m", {"num_classes": 0, "img_size": 224}, 224),
    "dinov2-s": Known("vit_small_patch14_dinov2.lvd142m", {"num_classes": 0, "img_size": 224}, 224),
    # the image embedding at 336 pixels, as in Jayasumana et al. 2024, Rethinking FID (CMMD); trained with the quick GELU
    "clip": Known("vit_large_patch14_clip_quickgelu_336.openai", unit_length=True),
}


class Prepared(nn.Module):
    """A network behind its own normalisation: images in [-1, 1] to features."""

    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        network: nn.Module,
        *,
        size: Sequence[int],
        interpolation: str,
        mean: Sequence[float],
        deviation: Sequence[float],
        unit_length: bool = False,
    ) -> None:
        super().__init__()
        self.network, self.unit_length = network, unit_length
        self.input_size, self.input_channels = (size[0], size[1]), 3
        self.input_interpolation = interpolation if interpolation in MODES else "bicubic"
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor(deviation).view(1, 3, 1, 1))

    def forward(self, images: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch *features"]:
        features = self.network(((images + 1) / 2 - self.mean) / self.deviation)
        return normalize(features) if self.unit_length else features


class BeforeLast(nn.Module):
    """What the last linear layer of a classifier is given."""

    def __init__(self, classifier: nn.Module, name: str) -> None:
        super().__init__()
        layers = [module for module in classifier.modules() if isinstance(module, nn.Linear)]
        if not layers:
            raise UserError(f"{name} ends in no linear layer whose input could be its features: choose another network.")
        self.classifier, self._seen = classifier, []
        layers[-1].register_forward_pre_hook(lambda layer, inputs: self._seen.append(inputs[0]))

    def forward(self, images: Tensor) -> Tensor:
        self.classifier(images)
        return self._seen.pop()


def from_timm(name: str, device: str | torch.device = "cpu") -> Given:
    """The pooled features of a network of timm, e.g. "convnext_tiny.in12k_ft_in1k".

    Raises UserError if timm is not installed, knows no such network, or cannot fetch its weights.
    """
    return _of_timm(name, Known(name, {"num_classes": 0}), device)


def from_known(name: str, device: str | torch.device = "cpu") -> Given:
    """One of `KNOWN` by its short name; raises UserError like `from_timm`."""
    return _of_timm(name, KNOWN[name], device)


def from_torchvision(name: str, device: str | torch.device = "cpu") -> Given:
    """What the last linear layer of a classifier of torchvision sees, with its newest weights, e.g. "resnet50".

    Raises UserError if torchvision is not installed, knows no such network, or cannot fetch its weights.
    """
    try:
        from torchvision import models  # pyright: ignore[reportMissingImports], an extra
    except (ImportError, RuntimeError) as error:  # the latter where it was built for another torch
        raise missing_extra("torchvision", "features", f"torchvision:{name}") from error
    _check_known(name, models.list_models(module=models), "torchvision")
    weights = models.get_model_weights(name).DEFAULT
    network = _fetched(f"torchvision:{name}", lambda: models.get_model(name, weights=weights))
    own = weights.transforms()
    side = own.crop_size[0]
    interpolation = getattr(own.interpolation, "value", own.interpolation)
    prepared = Prepared(
        BeforeLast(network, name), size=(side, side), interpolation=interpolation, mean=own.mean, deviation=own.std
    )
    return Given(prepared.to(device), name=name)


def _of_timm(name: str, known: Known, device: str | torch.device) -> Given:
    if ":" in known.network:  # hf-hub:USER/NAME, local-dir:PATH
        allow_program(f"timm:{name}", "may be a pickle of its author")
    try:
        import timm  # pyright: ignore[reportMissingImports], an extra
        import timm.data  # pyright: ignore[reportMissingImports]
    except (ImportError, RuntimeError) as error:
        raise missing_extra("timm", "features", f"The feature network {name}") from error
    if not timm.is_model(known.network.partition(".")[0]):
        _check_known(known.network, timm.list_models(), "timm")
    network = _fetched(name, lambda: timm.create_model(known.network, pretrained=True, **known.options))
    own = timm.data.resolve_model_data_config(network)
    prepared = Prepared(
        network,
        size=(known.size, known.size) if known.size else own["input_size"][1:],
        interpolation=own["interpolation"],
        mean=own["mean"],
        deviation=own["std"],
        unit_length=known.unit_length,
    )
    return Given(prepared.to(device), name=name)


def _fetched(name: str, make: Callable[[], nn.Module]) -> nn.Module:
    """The network that `make` makes with weights fetched once; raises UserError where they cannot be."""
    try:
        return make()
    except Exception as error:  # the hub's own errors, and every kind of missing network
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise UserError(
            f"the weights of {name} must be fetched once and could not be ({reason}): go online, or copy the cache of a machine that has "
            "them (HF_HOME, TORCH_HOME)."
        ) from error


def _check_known(name: str, known: Sequence[str], package: str) -> None:
    if name not in known:
        raise UserError(f'{package} has no network "{name}"{did_you_mean(name, known)}: its own list says which it has.')
