"""MotionGAN: what moves, what stays, and frames that are given."""

import copy
import itertools
import math

import numpy as np
import onnxruntime
import pytest
import torch

from gansmith.export import export
from gansmith.gans.motiongan import GAINS, MotionGAN
from gansmith.kinds.video.given import Ends, StartsFromFrames
from gansmith.kinds.video.spec import VideoSpec
from gansmith.layers.clip_critics import ClipCritic, colour_changes
from gansmith.layers.clips import moved_along
from gansmith.layers.sprites import Motion, hat_weights
from gansmith.model import Model
from gansmith.penalties import obstacle
from gansmith.training.trainer import Settings, Trainer
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


def test_placing_is_bilinear_sampling():
    torch.manual_seed(0)
    image, shift, size = torch.randn(1, 3, 8, 12), (0.31, -0.17), (1.3, 0.8)
    along_y = hat_weights(torch.tensor(shift[1]), torch.tensor(size[1]), 8)
    along_x = hat_weights(torch.tensor(shift[0]), torch.tensor(size[0]), 12)
    theta = torch.tensor([[[1 / size[0], 0.0, -shift[0] / size[0]], [0.0, 1 / size[1], -shift[1] / size[1]]]])
    grid = torch.nn.functional.affine_grid(theta, [1, 3, 8, 12], align_corners=False)
    expected = torch.nn.functional.grid_sample(image, grid, align_corners=False)
    torch.testing.assert_close(along_y @ image @ along_x.T, expected, atol=1e-5, rtol=1e-5)


def test_a_clip_with_one_pose_and_no_motion_stands_still():
    gan = toys.small("motiongan", toys.every()["clips"], poses=1)
    network = gan.generator.averaged
    torch.nn.init.zeros_(network.place.weight)
    with torch.no_grad():
        made = network(torch.randn(2, gan.numbers(4)))
    torch.testing.assert_close(made, made[:, :1].expand_as(made))


def test_half_of_a_batch_is_given_frames_and_is_paired_with_their_clips():
    gan = toys.small("motiongan", toys.every()["clips"], given=0.5)
    real = torch.randn(4, 4, 3, 16, 16)
    assert gan.given_rows(4) == [1, 3]
    ends = []
    for rounds in range(8):
        gan.clock.rounds = rounds
        given = gan.given_of(real)
        assert given.there[:, 0].all()
        torch.testing.assert_close(given.frames[:, 2], real[:, -1] * given.there[:, 2, None, None, None])
        ends.append(bool(given.there[:, 1:].any()))
        ordered, fake, _ = gan.made(real, None)
        torch.testing.assert_close(ordered, real[[1, 3, 0, 2]])
        torch.testing.assert_close(fake[:2, 0], ordered[:2, 0])
    assert ends == [False, True] * 4
    without = toys.small("motiongan", toys.every()["clips"], given=0.0)
    ordered, fake, _ = without.made(real, None)
    assert not without.given_rows(4) and ordered.equal(real) and fake.shape == real.shape
    assert gan.faces(4) == [1, 2, 3]


def test_the_critic_of_clips_sees_frames_and_their_differences():
    torch.manual_seed(0)
    critic = ClipCritic(toys.every()["clips"].codec.spec, 4)
    video = torch.randn(2, 4, 3, 16, 16)
    first, moved = critic.layers[0], torch.diff(video, dim=1).flatten(1, 2)
    expected = torch.conv2d(video.flatten(1, 2), first.weight, first.bias, 2, 1)
    expected += torch.conv2d(moved, 3.0 * critic.differences.flatten(1, 2), None, 2, 1)
    torch.testing.assert_close(critic._entered(critic.seen(video)), expected, atol=1e-4, rtol=1e-4)


def test_the_critic_of_clips_averages_large_frames_whatever_their_layout():
    critic = ClipCritic(VideoSpec(shape=(2, 3, 32, 64)), 4)
    video = torch.randn(2, 2, 3, 32, 64)
    expected = torch.nn.functional.avg_pool2d(video.flatten(0, 1), 2).view(2, 6, 16, 32)
    torch.testing.assert_close(critic.seen(video), expected)
    rows = video.transpose(2, 3).contiguous().transpose(2, 3)
    torch.testing.assert_close(critic.seen(rows), expected)


def test_both_critics_are_penalised_in_one_pass():
    gan = toys.small("motiongan", toys.every()["labelled clips"])
    label = torch.tensor([0, 1])
    assert obstacle(lambda x: gan.critic.network.frames(x, label), torch.randn(2, 3, 16, 16)) is None
    assert obstacle(lambda x: gan.critic.network.clips(x, label), torch.randn(2, 12, 16, 16)) is None


def test_an_image_moves_along_a_flow_by_as_much_as_it_says():
    image = torch.zeros(1, 1, 8, 8)
    image[0, 0, 3, 4] = 1
    flow = torch.zeros(1, 2, 8, 8)
    torch.testing.assert_close(moved_along(image, flow), image, atol=1e-5, rtol=0)
    flow[:, 0] = 2 * 2 / 8  # two pixels further to the right is where each pixel is taken from
    moved = moved_along(image, flow)
    assert moved[0, 0, 3, 2] > 0.999 and moved.sum() < 1.001


def test_a_palette_colours_whole_parts(gan):
    """Where each place takes one colour and nothing else is painted, sprites have the colours of the palette and no others."""
    network = copy.deepcopy(gan.generator.network)
    with torch.no_grad():
        network.coarse_shares.weight *= 1e4
        network.coarse_shares.bias[: network.palette] = torch.linspace(-1e3, 1e3, network.palette)
    whole, low = torch.randn(2, network.paint.in_channels, *network.side), torch.randn(2, *network.lowest)
    shares, colours = network._palette(whole, low)
    flat = network._flat(shares, colours)
    off = (flat[:, :, 0, :-1, None] - colours.mT[..., None, None]).abs().amax(2).amin(2)  # to the nearest colour
    assert flat.shape[3] == network.channels + 1 and not flat[:, :, :, -1].any()
    assert (off < 1e-4).float().mean() > 0.99


@pytest.mark.parametrize("shift", [0.0, 0.5 / 8, 0.3 / 8])  # of half a frame of 16: pixels, half a pixel, a third
def test_moved_by_parts_of_a_pixel_a_sprite_has_the_colours_of_its_palette(shift):
    """A sprite of two colours, left and right, on a ground of a third one: no pixel shows a mixture, wherever it lies."""
    data = toys.every()["labelled clips"]
    network = toys.small("motiongan", data, sprites=1, poses=1, palette=2, crisp=True).generator.network
    height, width = network.side
    own = torch.zeros(1, 1, 1, network.channels + 1, height, width)
    own[:, :, :, -1] = 40 * ((torch.arange(width) >= width // 4) & (torch.arange(width) < 3 * width // 4)).float() - 20
    shares = torch.zeros(1, 1, 2, height, width)
    shares[:, :, 0, :, : width // 2], shares[:, :, 1, :, width // 2 :] = 20, 20
    colours = torch.tensor([[[[2.0] * network.channels, [-2.0] * network.channels]]])
    still = Motion(torch.tensor([[[[shift, 0.0]]]]), torch.zeros(1, 1, 1, 2), torch.ones(1, 1, 1, 1))
    network.compact.zero_()
    ground = torch.full((1, network.channels, height, width), 0.25)
    frame = network._chosen(own, torch.zeros(0), shares, colours, torch.zeros(1), ground, still)[0, 0]
    inner = frame[:, 4:-4]  # beside the upper and lower edge of the canvas
    allowed = torch.tensor([math.tanh(2.0), math.tanh(-2.0), 0.25])
    off = (inner[..., None] - allowed).abs().amin(-1)
    between = (off > 0.05).float().sum(-1).amax() if shift == 0.5 / 8 else (off > 0.05).sum()
    assert between <= (3 if shift == 0.5 / 8 else 0)  # exactly between two pixels nothing decides which one it is
    assert {round(each, 1) for each in inner[0, 0].tolist()} >= {round(each, 1) for each in allowed.tolist()}


def of_form(gan, form):
    for own in (gan.generator.network, gan.generator.averaged):
        own._coloured_as(form)
        own.form.fill_(form)
    return gan


@pytest.mark.parametrize("case", ["no palette", "colours of pixels", "of today"])
def test_a_model_of_before_makes_what_it_made(case):
    torch.manual_seed(0)
    data = toys.every()["labelled clips"]
    form = 2 if case == "of today" else 1
    before = of_form(toys.small("motiongan", data, palette=0 if case == "no palette" else 8).eval(), form)
    older = before.state_dict()
    if case != "of today":
        older = {name: value for name, value in older.items() if "mixes" not in name and not name.endswith(".form")}
    if case == "colours of pixels":
        older = {name.replace("coarse_shares", "shares"): value for name, value in older.items()}
    now = toys.small("motiongan", data, palette=8).eval()
    now.load_state_dict(older)
    again = toys.small("motiongan", data, palette=8).eval()
    again.load_state_dict(now.state_dict())  # saved and opened once more
    label = torch.tensor([0, 1])
    first, *others = (
        own.generate(2, {"label": label}, rng=torch.Generator().manual_seed(1))["video"] for own in (before, now, again)
    )
    for other in others:
        torch.testing.assert_close(first, other, atol=1e-6, rtol=0)


def test_the_critic_of_frames_sees_colours_as_far_apart_as_light_and_shade(gan):
    critics = copy.deepcopy(gan.critic.network)
    shade = torch.randn(4, 3, 1, 8, 8) * 0.5
    real = torch.cat([shade, shade, shade], 2) + 0.2 * torch.randn(4, 3, 3, 8, 8) + 0.3
    critics.look(real)
    assert critics.middle.flatten().tolist() == pytest.approx(real.mean((0, 1, 3, 4)).tolist(), abs=1e-6)
    seen = critics.mixed(real.flatten(0, 1)).transpose(0, 1).flatten(1)
    values = torch.linalg.eigvalsh(seen @ seen.T / seen.shape[1])
    torch.testing.assert_close(values, values.max().expand(3), rtol=1e-3, atol=0)  # the gains are below the largest allowed
    critics.look(shade.expand(4, 3, 3, 8, 8))  # grey: no gain is larger than allowed
    assert critics.mixes.abs().max() <= GAINS


def test_the_critic_of_changes_sees_the_shares_of_colours_and_not_where_they_are():
    clip = torch.tensor([-0.75, 0.25])[torch.randint(0, 2, (1, 1, 3, 8, 8))].expand(1, 3, 3, 8, 8)
    assert colour_changes(clip).abs().max() == 0
    shuffled = clip.flatten(3)[..., torch.randperm(64)].view_as(clip)
    torch.testing.assert_close(
        colour_changes(torch.cat([clip[:, :1], shuffled[:, 1:]], 1)), torch.zeros(1, 2 * 2 * 64), atol=1e-4, rtol=0
    )
    other = clip.clone()
    other[0, 2, :, :4] = torch.tensor([-0.75, -0.75, -0.75])[:, None, None]  # the upper half of the last frame is black
    changes = colour_changes(other).view(2, 2, 64)
    assert changes[0, 0].abs().max() == 0
    shares = [
        (clip[0, 0] == torch.tensor(colour)[:, None, None]).all(0).float()
        for colour in itertools.product((-0.75, 0.25), repeat=3)
    ]
    lost = sorted([-60 * float(own[:4].sum()) / 64 for own in shares[1:]] + [60 * (32 - float(shares[0][:4].sum())) / 64])
    found = sorted(changes[0, 1][changes[0, 1].abs() > 1e-4].tolist())
    assert found == pytest.approx([own for own in lost if own], abs=1e-3)
    torch.testing.assert_close(changes[1], changes[0].abs())


@pytest.mark.parametrize(("channels", "colours"), [(1, 4), (3, 64), (4, 64)])
def test_a_colour_between_levels_counts_for_its_neighbours(channels, colours):
    clip = torch.full((2, 2, channels, 4, 4), -1.0)
    clip[:, 1] = 0.0  # half way between two levels of each channel
    changes = colour_changes(clip).view(2, 2, colours)[0, 0]
    seen = min(3, channels)
    assert changes.min() == -60 and (changes > 0).sum() == 2**seen
    assert changes[changes > 0].tolist() == pytest.approx([60 / 2**seen] * 2**seen)


def test_a_critic_of_before_gets_one_of_changes():
    data = toys.every()["labelled clips"]
    before = toys.small("motiongan", data)
    now = toys.small("motiongan", data, steady=1.0)
    assert before.critic.network.changes is None
    own = copy.deepcopy(now.critic.network.changes.state_dict())
    now.load_state_dict(before.state_dict())
    assert all(torch.equal(own[name], tensor) for name, tensor in now.critic.network.changes.state_dict().items())
    assert obstacle(now.critic.network.changes, torch.randn(2, now.critic.network.changes.layers[0].in_features)) is None


def test_crisp_sprites_and_the_critic_of_changes_are_trained_and_exported(tmp_path):
    data = toys.every()["labelled clips"]
    gan = toys.small("motiongan", data, crisp=True, steady=0.6, palette=4)
    trainer = Trainer(gan, data, Settings(batch=8, samples=1_000))
    terms = set()
    for _ in range(4):
        trainer.play_round()
        terms |= trainer.term_means.read().keys()
    assert {"critic/changes", "critic/changes_r1", "critic/changes_r2", "generator/changes"} <= terms
    made = Model(gan.eval(), data.codec, {"gan": "motiongan", "samples": 32})
    session = onnxruntime.InferenceSession(export(made, "onnx", tmp_path), providers=["CPUExecutionProvider"])
    network, example = gan.exportable()
    for count in (1, 3):
        inputs = {name: torch.cat([value] * 2)[:count] for name, value in example.items()}
        (found,) = session.run(None, {name: value.numpy() for name, value in inputs.items()})
        with torch.no_grad():
            expected = network(*inputs.values())
        np.testing.assert_allclose(found, expected.numpy(), atol=1e-4)
