"""MotionGAN: what moves, what stays, and frames that are given."""

import pytest
import torch

from gansmith.gans.motiongan import Given, MotionGAN
from gansmith.kinds.video.given import Ends, StartsFromFrames
from gansmith.layers.clips import moved_along, with_differences
from tests import toys


@pytest.fixture(scope="module")
def gan() -> MotionGAN:
    torch.manual_seed(0)
    made = toys.small("motiongan", toys.every()["labelled clips"]).eval()
    assert isinstance(made, MotionGAN) and isinstance(made, StartsFromFrames)
    return made


def test_given_frames_are_kept_and_change_what_follows(gan):
    real = toys.every()["labelled clips"].packed(slice(0, 2))["video"]
    frames = torch.from_numpy(real)
    label = torch.tensor([0, 1])

    def made(ends: Ends) -> torch.Tensor:
        return gan.generate(2, {**ends.condition(2), "label": label}, rng=torch.Generator().manual_seed(1))["video"]

    with torch.no_grad():
        one, other = made(Ends(frames[0, 0])), made(Ends(frames[1, 0]))
        two = made(Ends(frames[0, 1], frames[0, 0]))
        both = made(Ends(frames[0, 0], last=frames[1, 3]))
    as_seen = frames.float() * (2 / 255) - 1
    torch.testing.assert_close(one[:, 0], as_seen[0, 0].expand(2, -1, -1, -1))
    torch.testing.assert_close(two[:, :2], as_seen[0, :2].expand(2, -1, -1, -1, -1))
    torch.testing.assert_close(both[:, 0], as_seen[0, 0].expand(2, -1, -1, -1))
    torch.testing.assert_close(both[:, -1], as_seen[1, 3].expand(2, -1, -1, -1))
    assert (one[:, 1:] - other[:, 1:]).abs().max() > 1e-3 and (one[0] - one[1]).abs().max() > 1e-4


def test_clips_are_as_long_as_they_are_asked_to_be(gan):
    with torch.no_grad():
        for key, value, steps in (("length", "11", 11), ("frames", "3", 3), ("seconds", "1.5", 12)):
            condition = {"frames": gan.condition_of(key, value, 2), "label": torch.tensor([0, 1])}
            assert gan.generate(2, condition, rng=torch.Generator().manual_seed(0))["video"].shape[1] == steps
    assert gan.condition_of("class", "circle", 2) is None


def test_frames_that_are_painted_alone_are_those_of_the_whole_clip(gan):
    noise = torch.randn(3, gan.numbers(4), generator=torch.Generator().manual_seed(0))
    label = torch.tensor([0, 1, 2])
    network = gan.generator.averaged
    with torch.no_grad():
        torch.testing.assert_close(network(noise, label, None, [0, 3]), network(noise, label)[:, [0, 3]], atol=1e-5, rtol=1e-5)


def test_rounds_take_turns_and_half_of_a_batch_is_given_frames():
    gan = toys.small("motiongan", toys.every()["clips"], shown=3)
    real = torch.randn(4, 4, 3, 16, 16)
    seen, ends = [], []
    for rounds in range(8):
        gan.clock.rounds = rounds
        given = gan.given_of(real)
        assert isinstance(given, Given) and given.there[:, 0].tolist() == [1, 1, 0, 0] and not given.there[2:].any()
        torch.testing.assert_close(given.frames[:, 2], real[:, -1] * given.there[:, 2, None, None, None])
        seen.append(gan.places(4))
        ends.append(given.ends)
    assert ends == [False, False, False, True] * 2
    assert seen[1] == [0, 1, 2] and seen[2] == seen[3] == [0, 2, 3] and {seen[0][0], seen[4][0]} == {0, 1}
    assert toys.small("motiongan", toys.every()["clips"], given=0.0).given_of(real) is None


def test_an_image_moves_along_a_flow_by_as_much_as_it_says():
    image = torch.zeros(1, 1, 8, 8)
    image[0, 0, 3, 4] = 1
    flow = torch.zeros(1, 2, 8, 8)
    torch.testing.assert_close(moved_along(image, flow), image, atol=1e-5, rtol=0)
    flow[:, 0] = 2 * 2 / 8  # two pixels further to the right is where each pixel is taken from
    moved = moved_along(image, flow)
    assert moved[0, 0, 3, 2] > 0.999 and moved.sum() < 1.001


def test_differences_stand_beside_frames():
    video = torch.randn(2, 3, 1, 4, 4)
    seen = with_differences(video)
    torch.testing.assert_close(seen[:, :, :1], video)
    torch.testing.assert_close(seen[:, 2, 1:], video[:, 2] - video[:, 1])
    assert (seen[:, 0, 1:] == 0).all()
