"""Contrastive class terms against plain loops."""

import math

import pytest
import torch
from torch.nn.functional import cosine_similarity

from gansmith.terms.contrastive import conditional_contrast, data_to_data_cross_entropy

LABELS = [torch.tensor([0, 1, 0, 2, 1]), torch.tensor([[0.0, 1.0], [1.0, 1.0], [0.0, 1.0], [0.5, 0.0], [1.0, 1.0]])]


def cos(a, b):
    return float(cosine_similarity(a, b, dim=0))


@pytest.mark.parametrize("label", LABELS, ids=["classes", "attributes"])
def test_conditional_contrast_is_the_loop_of_the_paper(label):
    torch.manual_seed(0)
    embeddings, proxies, t = torch.randn(5, 7), torch.randn(5, 7), 0.7
    total = 0.0
    for i in range(5):
        to_proxy = math.exp(cos(embeddings[i], proxies[i]) / t)
        others = {k: math.exp(cos(embeddings[i], embeddings[k]) / t) for k in range(5) if k != i}
        alike = sum(value for k, value in others.items() if torch.equal(label[k], label[i]))
        total -= math.log((to_proxy + alike) / (to_proxy + sum(others.values())))
    assert float(conditional_contrast(embeddings, proxies, label, temperature=t)) == pytest.approx(total / 5, rel=1e-5)


@pytest.mark.parametrize("label", LABELS, ids=["classes", "attributes"])
def test_data_to_data_cross_entropy_is_the_loop_of_the_paper(label):
    torch.manual_seed(0)
    embeddings, proxies, t, above, below = torch.randn(5, 7), torch.randn(5, 7), 0.5, 0.1, -0.05
    total = 0.0
    for i in range(5):
        near = math.exp(min(0.0, cos(embeddings[i], proxies[i]) - above) / t)
        far = sum(
            math.exp(max(0.0, cos(embeddings[i], embeddings[k]) - below) / t)
            for k in range(5)
            if not torch.equal(label[k], label[i])
        )
        total -= math.log(near / (near + far))
    found = data_to_data_cross_entropy(embeddings, proxies, label, temperature=t, positive_margin=above, negative_margin=below)
    assert float(found) == pytest.approx(total / 5, rel=1e-5)


def test_a_batch_of_one_class_has_finite_terms_and_gradients():
    embeddings = torch.randn(3, 4, requires_grad=True)
    label = torch.zeros(3, dtype=torch.int64)
    for term in (
        conditional_contrast(embeddings, torch.randn(3, 4), label, temperature=1.0),
        data_to_data_cross_entropy(
            embeddings, torch.randn(3, 4), label, temperature=0.5, positive_margin=0.98, negative_margin=-0.02
        ),
    ):
        embeddings.grad = None
        term.backward()
        assert embeddings.grad is not None and embeddings.grad.isfinite().all()
