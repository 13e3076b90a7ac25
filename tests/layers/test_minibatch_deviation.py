"""Minibatch deviation against a plain loop over groups."""

import numpy as np
import pytest
import torch

from gansmith.layers.minibatch_deviation import MinibatchDeviation


@pytest.mark.parametrize(("batch", "group", "used"), [(8, 4, 4), (6, 4, 3), (3, 4, 3), (1, 4, 1), (5, 4, 1)])
def test_every_group_sees_its_own_mean_deviation(batch, group, used):
    x = torch.randn(batch, 4, 3, 2)
    found = MinibatchDeviation(group=group, planes=2)(x)
    assert torch.equal(found[:, :4], x) and found.shape == (batch, 6, 3, 2)
    for start in range(0, batch, used):
        rows = x[start : start + used].numpy()
        for plane, channels in enumerate((rows[:, :2], rows[:, 2:])):
            expected = np.sqrt(channels.var(0) + 1e-8).mean()
            assert np.allclose(found[start : start + used, 4 + plane].numpy(), expected, atol=1e-5)


def test_parts_of_a_batch_give_what_the_whole_batch_gives():
    layer, x = MinibatchDeviation(group=4), torch.randn(16, 3, 2, 2)
    torch.testing.assert_close(torch.cat([layer(part) for part in x.chunk(4)]), layer(x))


def test_equal_examples_have_a_finite_gradient():
    x = torch.ones(4, 2, 2, 2, requires_grad=True)
    MinibatchDeviation()(x).sum().backward()
    assert x.grad is not None and x.grad.isfinite().all()
