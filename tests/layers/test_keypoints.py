"""Keypoints, what moves them, and pictures that follow: against autograd and against what is known."""

import torch

from gansmith.layers.dense_motion import DenseMotion, along
from gansmith.layers.frame_maker import FrameMaker, Memory
from gansmith.layers.keypoints import KeypointDetector, Keypoints, Warp, inverse, places_of, product


def test_a_warp_says_how_the_surroundings_of_a_place_change():
    torch.manual_seed(0)
    warp = Warp.drawn(3, torch.zeros(1))
    places = torch.rand(3, 4, 2) * 1.6 - 0.8
    told = warp.changes(places)
    for row in range(3):
        one = Warp(warp.matrix[row : row + 1], warp.shift[row : row + 1], warp.weights[row : row + 1])
        for point in range(4):
            true = torch.autograd.functional.jacobian(lambda z, one=one: one.at(z[None, None])[0, 0], places[row, point])
            torch.testing.assert_close(told[row, point], true, atol=1e-4, rtol=1e-4)


def test_a_warped_image_shows_what_lies_where_its_places_go():
    shifted = Warp(torch.eye(2)[None], torch.tensor([[0.25, 0.0]]), torch.zeros(1, 25))
    image = torch.rand(1, 2, 8, 8)
    torch.testing.assert_close(shifted.of(image)[..., :7], image[..., 1:], atol=1e-5, rtol=1e-5)


def test_matrices_are_inverted_and_multiplied_as_linear_algebra_does():
    a, b = torch.randn(5, 3, 2, 2) + 2 * torch.eye(2), torch.randn(5, 3, 2, 2)
    torch.testing.assert_close(inverse(a), torch.linalg.inv(a), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(product(a, b), a @ b)
    assert inverse(torch.zeros(2, 2)).isfinite().all()


def test_a_keypoint_lies_in_the_middle_of_its_heat_and_may_be_moved_as_another():
    detector = KeypointDetector(1, points=2, width=4, widest=8, levels=2, shrink=1).eval()
    found = detector(torch.rand(3, 1, 16, 16))
    assert found.places.shape == (3, 2, 2) and found.places.abs().max() < 1
    torch.testing.assert_close(found.changes, torch.eye(2).expand(3, 2, 2, 2), atol=1e-5, rtol=1e-5)
    start, to = (Keypoints(torch.rand(1, 2, 2) - 0.5, torch.eye(2) + 0.1 * torch.randn(1, 2, 2, 2)) for _ in range(2))
    torch.testing.assert_close(start.as_from(start, to).places, to.places)
    torch.testing.assert_close(start.as_from(start, to).changes, to.changes, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(to.as_from(start, start).places, to.places)
    heat = Keypoints(torch.tensor([[[0.5, -0.5]]]), torch.eye(2)[None, None]).heat(16, 16)
    assert divmod(int(heat[0, 0].argmax()), 16) in [(3, 11), (3, 12), (4, 11), (4, 12)]


def test_where_one_keypoint_rules_the_picture_moves_as_it_does():
    motion = DenseMotion(1, points=1, width=4, widest=8, levels=1, shrink=1).eval()
    with torch.no_grad():
        motion.masks.weight.zero_()
        motion.masks.bias.copy_(torch.tensor([-50.0, 50.0]))
    picture = torch.rand(1, 1, 8, 8)
    one = torch.eye(2)[None, None]
    start, end = Keypoints(torch.zeros(1, 1, 2), one), Keypoints(torch.tensor([[[0.25, 0.0]]]), one)
    flow, _ = motion(picture, start, end)  # a keypoint that goes a pixel to the right takes its pixels from the left
    torch.testing.assert_close(flow[0], places_of(8, 8, picture) - torch.tensor([0.25, 0.0]))
    torch.testing.assert_close(along(picture, flow)[..., 1:], picture[..., :-1], atol=1e-5, rtol=1e-5)
    wider = Keypoints(torch.zeros(1, 1, 2), 2 * one)  # surroundings twice as large: pixels come from half as far
    torch.testing.assert_close(motion(picture, start, wider)[0][0], places_of(8, 8, picture) / 2)


def test_a_first_frame_is_painted_and_a_later_one_may_be_the_one_before_moved():
    torch.manual_seed(0)
    maker = FrameMaker(1, 3, past=2, width=4, blocks=1)
    given = torch.rand(2, 3, 1, 16, 16)
    first = maker.next(given[:, 0], Memory())
    assert first.flow is None and first.frame.shape == (2, 3, 16, 16)
    with torch.no_grad():
        maker.network.last.weight.zero_()
        maker.network.last.bias.copy_(torch.tensor([0.0, 0.0, 0.0, 0.25, 0.0, 9.0]))  # an eighth to the right, everything stays
    memory = Memory().with_frame(given[:, 0], torch.rand(2, 3, 16, 16), 2)
    made = maker.next(given[:, 1], memory)
    shift = round(0.5 * float(torch.tanh(torch.tensor(0.25))) * 8)
    assert shift == 1
    torch.testing.assert_close(made.flow[:, 0], torch.full((2, 16, 16), 0.5 * float(torch.tanh(torch.tensor(0.25)))))
    assert (made.frame - memory.made[0]).abs().mean() < (made.frame - first.frame).abs().mean()
    assert maker(given).shape == (2, 3, 3, 16, 16)
