import pytest
import torch

from gansmith.augment.together import check_crop, cropped_together, flipped_together
from gansmith.errors import UserError


def places(height: int, width: int, count: int = 64) -> torch.Tensor:
    """Images whose pixels say where they are."""
    rows, columns = torch.meshgrid(torch.arange(float(height)), torch.arange(float(width)), indexing="ij")
    return torch.stack([rows, columns]).expand(count, -1, -1, -1)


@pytest.mark.parametrize("scale", [1, 3])
def test_both_crops_show_the_same_place(scale: int):
    torch.manual_seed(0)
    a, b = cropped_together(places(9, 7), places(9 * scale, 7 * scale), 4)
    assert a.shape == (64, 2, 4, 4) and b.shape == (64, 2, 4 * scale, 4 * scale)
    torch.testing.assert_close(b[..., ::scale, ::scale], a * scale)
    assert set(a[:, 0, 0, 0].tolist()) == {0, 1, 2, 3, 4, 5} and set(a[:, 1, 0, 0].tolist()) == {0, 1, 2, 3}


def test_flips_turn_both_or_neither_and_half_of_all():
    torch.manual_seed(0)
    a, b = flipped_together(places(4, 4, 400), places(8, 8, 400))
    turned = a[:, 1, 0, 0] == 3
    assert torch.equal(turned, b[:, 1, 0, 0] == 7)
    assert 150 < int(turned.sum()) < 250


def test_crops_larger_than_the_images_are_refused():
    check_crop(8, (3, 8, 9))
    with pytest.raises(UserError, match="crops of 9 pixels do not fit into images of 9x8"):
        check_crop(9, (3, 8, 9))
