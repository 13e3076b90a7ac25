"""Contrasts between examples and their labels: ContraGAN's and ReACGAN's class terms.

Embeddings and proxies (a learned vector for each label) are compared by the cosine of their angle. Two examples are of one label
where all numbers of their labels are equal, so classes and attributes are treated alike.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import normalize

from gansmith.layers.labels import Label

Vectors = Float[Tensor, "batch width"]


def conditional_contrast(
    embeddings: Vectors, proxies: Vectors, label: Label, *, temperature: float, companions: bool = True
) -> Float[Tensor, ""]:
    """ContraGAN's 2C loss (Kang & Park 2020, equation 8): near to its own proxy and to others of its label, far from the rest.

    Others of its label, the companions, outnumber the proxy: the loss is small too where all examples of one label lie together at
    the proxy of another. Without companions, which count as neither near nor far then, only the proxy is near.
    """
    to_proxy, to_others, same = _similarities(embeddings, proxies, label)
    to_proxy, to_others = to_proxy[:, None] / temperature, to_others / temperature
    if not companions:
        return (torch.cat([to_proxy, to_others.masked_fill(same, -torch.inf)], 1).logsumexp(1) - to_proxy[:, 0]).mean()
    itself = torch.eye(len(label), dtype=torch.bool, device=label.device)
    near = torch.cat([to_proxy, to_others.masked_fill(~same | itself, -torch.inf)], 1).logsumexp(1)
    all_of_them = torch.cat([to_proxy, to_others.masked_fill(itself, -torch.inf)], 1).logsumexp(1)
    return (all_of_them - near).mean()


def data_to_data_cross_entropy(
    embeddings: Vectors, proxies: Vectors, label: Label, *, temperature: float, positive_margin: float, negative_margin: float
) -> Float[Tensor, ""]:
    """ReACGAN's D2D-CE loss (Kang et al. 2021, equation 6): near to its own proxy, far from the examples of other labels.

    Similarities beyond the margins, easy positives above one and easy negatives below the other, teach nothing.
    """
    to_proxy, to_others, same = _similarities(embeddings, proxies, label)
    near = (to_proxy - positive_margin).clamp(max=0) / temperature
    far = (to_others - negative_margin).clamp(min=0) / temperature
    return (torch.cat([near[:, None], far.masked_fill(same, -torch.inf)], 1).logsumexp(1) - near).mean()


def _similarities(
    embeddings: Vectors, proxies: Vectors, label: Label
) -> tuple[Float[Tensor, " batch"], Float[Tensor, "batch batch"], Bool[Tensor, "batch batch"]]:
    """(each example to its own proxy, each to each, whether their labels are equal)."""
    embeddings, proxies = normalize(embeddings.float()), normalize(proxies.float())
    same = label[:, None] == label[None]
    return (embeddings * proxies).sum(1), embeddings @ embeddings.T, same.flatten(2).all(2) if same.dim() == 3 else same
