"""What GANs of clips share."""

import pytest
import torch

from gansmith.errors import UserError
from gansmith.gans._clips import example_labels, frames_requested, parted
from gansmith.kinds.video.spec import VideoSpec

SPEC = VideoSpec(shape=(4, 3, 16, 16), rate=8.0, classes=("circle", "square"))


@pytest.mark.parametrize(("key", "value", "steps"), [("length", "11", 11), ("frames", "3", 3), ("seconds", "1.5", 12)])
def test_a_length_is_asked_for_in_frames_or_seconds(key, value, steps):
    found = frames_requested(key, value, 2, SPEC)
    assert found is not None and found.tolist() == [steps, steps]
    assert frames_requested("class", "circle", 2, SPEC) is None


@pytest.mark.parametrize("wrong", [("frames", "1"), ("frames", "x"), ("seconds", "1e9"), ("length", "inf")])
def test_a_length_that_no_clip_has_is_a_sentence(wrong):
    with pytest.raises(UserError, match="frames|number"):
        frames_requested(*wrong, 2, SPEC)


def test_noise_is_parted_into_that_of_the_content_and_that_of_each_frame():
    noise = torch.arange(2 * 11.0).view(2, 11)
    content, motion = parted(noise, 5, 2)
    assert content.tolist() == noise[:, :5].tolist() and motion.shape == (2, 3, 2)
    assert motion[1].flatten().tolist() == noise[1, 5:].tolist()


def test_examples_for_export_have_labels_where_the_data_have():
    assert example_labels(SPEC)["label"].tolist() == [0, 1]
    assert example_labels(VideoSpec(shape=(4, 3, 16, 16))) == {}
