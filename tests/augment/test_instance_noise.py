"""Instance noise: its deviation, and none at all."""

import pytest
import torch

from gansmith.augment.instance_noise import instance_noise


def test_noise_has_the_asked_deviation_and_none_is_the_examples_themselves():
    torch.manual_seed(0)
    examples = torch.randn(50, 3, 8, 8)
    added = instance_noise(examples, 0.1) - examples
    assert added.std().item() == pytest.approx(0.1, rel=0.02) and abs(added.mean().item()) < 1e-2
    assert instance_noise(examples, 0.0) is examples
