"""Metrics of clips that were made of other clips, against what is known."""

import numpy as np
import pytest
import torch

from gansmith.export._network import dynamic
from gansmith.kinds.video.metrics.partners import _learnt, compared, trivial
from tests import toys


def test_equal_clips_are_equal_and_a_constant_difference_does_not_flicker():
    real = torch.rand(3, 5, 3, 16, 16) * 1.6 - 0.9
    same, brighter = compared(real, real), compared(real + 0.2, real)
    assert same["video_psnr"] == pytest.approx(58.92, abs=0.01) and same["video_ssim"] == pytest.approx(1, abs=1e-5)
    assert brighter["video_l1"] == pytest.approx(0.1, abs=1e-5) and brighter["video_psnr"] == pytest.approx(20, abs=1e-3)
    assert brighter["flicker"].max() < 1e-6
    still = compared(real[:, :1].expand_as(real), real)
    np.testing.assert_allclose(still["flicker"], (real[:, 1:] - real[:, :-1]).abs().mean((1, 2, 3, 4)) / 2, rtol=1e-5)
    driven = compared(torch.cat([real[:, :1] + 1, real[:, 1:]], 1), real, driven=True)
    assert driven["video_l1"].max() == 0  # the frame that is the picture is left out


def test_the_baselines_of_pairs_are_the_mean_frame_and_a_lookup_of_colours_and_that_of_motion_stands_still():
    data = toys.every()["film pairs"]
    batch = data.batch(slice(0, len(data)))
    mean, table = _learnt(data)
    torch.testing.assert_close(mean, batch["b"].mean((0, 1)), atol=1e-5, rtol=1e-5)
    dark = (batch["a"] < -0.75).expand_as(batch["b"])
    shown = [batch["b"][:, :, channel][dark[:, :, channel]].mean() for channel in range(3)]
    torch.testing.assert_close(table[0], torch.stack(shown), atol=1e-4, rtol=1e-4)
    assert [len(own["video_l1"]) for own in trivial(data, data)] == [len(data)] * 2  # a gray film is no film in colour
    motion = toys.every()["pictures and films"]
    (still,) = trivial(motion, motion)
    clips = motion.batch(slice(0, len(motion)))["b"]
    np.testing.assert_allclose(still["video_l1"], (clips[:, 1:] - clips[:, :1]).abs().mean((1, 2, 3, 4)) / 2, rtol=1e-4)


def test_exported_networks_of_clips_take_any_batch_of_clips_of_one_size():
    sizes = dynamic(torch.nn.Identity(), {"input": torch.zeros(2, 4, 3, 16, 16)})
    assert list(sizes["input"]) == [0]
