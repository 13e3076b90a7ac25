"""How different are the translations of one image from each other? (Zhu et al. 2017b, section 5.1; Choi et al. 2020, section 4)"""

import numpy as np
import torch

from gansmith.data.codec import HasSource
from gansmith.data.dataset import choose
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Real, Side
from gansmith.kinds.images.metrics.path_length import distance_for
from gansmith.metrics.registry import NotApplicableError
from gansmith.networks.pretrained.perceptual_network import lpips_at_hand
from gansmith.tasks.translation import Styled

METRICS = {
    "translation_diversity": (
        "higher",
        "mean perceptual distance of two translations of one image in random styles: 0 where the style is ignored; noise scores high",
    )
}
SAYS = "diversity"
MINIMUM = 2
IMAGES, LOOKS = 100, 4
"""Images that are translated, and in how many styles; consecutive ones are compared."""


def measure(side: Side) -> dict[str, Measured]:
    """In LPIPS on VGG16 where its weights are at hand, else in the judge's own classifier: the space says which."""
    model = side.model
    if model is None or model.inputs is None or not isinstance(model.gan, Styled) or not isinstance(model.codec, HasSource):
        raise NotApplicableError(
            "the diversity of translations needs a model that makes many images of one, such as bicyclegan's."
        )
    network = distance_for(side.real, model.gan.device)
    rows = choose(len(model.inputs), IMAGES, side.real.seed)
    given = model.inputs.subset(rows)
    rng = torch.Generator().manual_seed(side.real.seed)
    condition = {**model.codec.conditions(len(given), rng), **model.codec.source(given.batch(slice(None)))}
    distances = []
    was_training = model.gan.training
    model.gan.eval()
    with torch.inference_mode(), torch.autocast("cpu", enabled=False):
        looks = [model.gan.generate(len(given), condition, rng=rng)[model.gan.spec.key] for _ in range(LOOKS)]
        for first, second in zip(looks, looks[1:], strict=False):
            distances.append(torch.cat([network(a, b) for a, b in zip(first.split(16), second.split(16), strict=True)]))
    model.gan.train(was_training)
    values = torch.stack(distances).mean(0).double().cpu().numpy()
    value, low, high = jackknife(lambda kept: float(values[kept].mean()), len(values), side.real.seed, (0.0, np.inf))
    found = Measured(value=value, low=low, high=high, samples=len(values) * LOOKS, reference_samples=0, space=network.name)
    return {"translation_diversity": found}


def key(real: Real) -> str:
    """What it depends on besides the real data, for the keys of caches."""
    return lpips_at_hand("vgg") or ""
