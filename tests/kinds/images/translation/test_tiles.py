import pytest
import torch
from torch import nn

from gansmith.errors import UserError
from gansmith.kinds.images.translation.tiles import translated
from gansmith.layers.enlarging import Compact, RRDBNet, SRResNet


@pytest.mark.parametrize("size", [(50, 70), (96, 33), (20, 20)])
@pytest.mark.parametrize(
    ("network", "scale", "overlap"),
    [
        (SRResNet(3, 3, scale=2, width=8, blocks=2), 2, 32),
        (Compact(3, 3, scale=3, width=8, blocks=2), 3, 16),
        (RRDBNet(3, 3, scale=4, width=8, blocks=1, growth=4), 4, 40),
    ],
    ids=["srresnet", "compact", "rrdb"],
)
@torch.inference_mode()
def test_tiles_make_what_the_whole_makes(network: nn.Module, scale: int, overlap: int, size: tuple[int, int]):
    image = torch.rand(1, 3, *size) * 2 - 1
    whole, tiled = (translated(network, image, scale=scale, tile=tile, overlap=overlap) for tile in (None, 24))
    assert whole.shape == (1, 3, size[0] * scale, size[1] * scale)
    torch.testing.assert_close(tiled, whole, atol=1e-3, rtol=0)


def test_tiles_that_disagree_fade_into_each_other_without_a_step():
    class Count(nn.Module):
        """Every tile in a brightness of its own."""

        calls = 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            return torch.full_like(x, float(self.calls % 2))

    tiled = translated(Count(), torch.zeros(1, 1, 8, 128), tile=64, overlap=32)
    assert tiled.min() == 0 and tiled.max() == 1
    assert tiled.diff(dim=3).abs().max() <= 1 / 32 + 1e-6


class Hungry(nn.Module):
    """Has memory for so many pixels, and doubles them."""

    def __init__(self, pixels: int) -> None:
        super().__init__()
        self.pixels, self.seen = pixels, []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[2] * x.shape[3] > self.pixels:
            raise torch.OutOfMemoryError("out of memory")
        self.seen.append(x.shape[2:])
        return 2 * x


def test_tiles_are_halved_until_they_fit_and_none_is_wrong():
    image = torch.randn(1, 3, 300, 200)
    torch.testing.assert_close(translated(Hungry(150 * 150), image, overlap=8), 2 * image)
    torch.testing.assert_close(translated(Hungry(90 * 90), image, tile=200, overlap=8), 2 * image)


def test_no_memory_even_for_small_tiles_is_said_in_a_sentence():
    with pytest.raises(UserError, match="not enough memory for tiles of"):
        translated(Hungry(10), torch.randn(1, 3, 64, 64), overlap=0)


def test_other_faults_are_not_taken_for_lack_of_memory():
    with pytest.raises(RuntimeError, match="channels"):
        translated(nn.Conv2d(1, 1, 1), torch.randn(1, 3, 8, 8))
