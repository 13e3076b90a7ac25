"""DCGAN's players: sizes, refusals, batch norm."""

import pytest
import torch
from torch import nn

from gansmith.errors import UserError
from gansmith.kinds.images.spec import ImageSpec
from gansmith.kinds.points.spec import PointSpec
from gansmith.layers.batch_norm import BatchNorm
from gansmith.layers.labels import with_label
from gansmith.layers.strided import SIDES, StridedCritic, StridedGenerator

TWO = ImageSpec(shape=(1, 8, 8), classes=("a", "b"))
THREE = ImageSpec(shape=(1, 8, 8), attributes=("age", "smile", "hair"))


@pytest.mark.parametrize("side", SIDES)
def test_every_legal_side_goes_in_and_comes_out(side):
    spec = ImageSpec(shape=(3, side, side), classes=("a", "b"))
    generator = StridedGenerator(spec, noise=8, width=4, gan="dcgan")
    critic = StridedCritic(spec, width=4, batch_norm=True, gan="dcgan")
    label = torch.tensor([0, 1])
    made = generator(torch.randn(2, 8), label)
    assert made.shape == (2, 3, side, side) and made.abs().max() <= 1
    assert critic(made, label).shape == (2,)


@pytest.mark.parametrize("shape", [(1, 30, 30), (3, 32, 64), (3, 512, 512)])
def test_other_sizes_are_refused_with_the_nearest_legal_one(shape):
    with pytest.raises(UserError, match="--resolution"):
        StridedGenerator(ImageSpec(shape=shape), noise=8, width=4, gan="dcgan")


def test_points_are_refused_with_what_to_choose():
    with pytest.raises(UserError, match="--gan r3gan"):
        StridedCritic(PointSpec(shape=(2,)), width=4, batch_norm=True, gan="dcgan")


def test_labels_become_features_or_planes():
    label = torch.tensor([1, 0])
    flat = with_label(torch.zeros(2, 3), label, TWO)
    assert flat.tolist() == [[0, 0, 0, 0, 1], [0, 0, 0, 1, 0]]
    planes = with_label(torch.zeros(2, 1, 2, 2), label, TWO)
    assert planes.shape == (2, 3, 2, 2) and planes[0, 2].eq(1).all() and planes[0, 1].eq(0).all()
    assert with_label(flat, None, TWO) is flat
    several = with_label(torch.zeros(1, 1, 2, 2), torch.tensor([[0.5, -1.0, 2.0]]), THREE)
    assert several[0, 1:].mean((1, 2)).tolist() == [0.5, -1.0, 2.0]


def test_a_spec_with_attributes_survives_json_and_a_player_takes_them():
    assert ImageSpec.from_json(THREE.to_json()) == THREE and THREE.conditions == 3
    generator = StridedGenerator(THREE, noise=8, width=4, gan="dcgan")
    assert generator(torch.randn(2, 8), torch.randn(2, 3)).shape == (2, 1, 8, 8)


def test_in_one_process_batch_norm_is_torchs():
    torch.manual_seed(0)
    ours, theirs = BatchNorm(3), nn.BatchNorm2d(3)
    x = torch.randn(4, 3, 5, 5)
    assert torch.equal(ours(x), theirs(x))
    assert torch.equal(ours.running_var, theirs.running_var)
