"""Blocks of a transformer over a grid against loops over positions and torch's own attention."""

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from gansmith.errors import UserError
from gansmith.layers.grid_transformer import GridBlock, as_maps, as_positions, even_root, relative_positions, window_of


def test_two_positions_share_a_number_exactly_if_they_lie_alike():
    height, width = 3, 4
    numbers = relative_positions(height, width)
    offsets = {}
    for one in range(height * width):
        for other in range(height * width):
            offset = (one // width - other // width, one % width - other % width)
            assert offsets.setdefault(offset, int(numbers[one, other])) == numbers[one, other]
    assert sorted(offsets.values()) == list(range((2 * height - 1) * (2 * width - 1)))


def test_attention_is_that_of_torch_with_nearness_as_its_bias():
    torch.manual_seed(0)
    block, x = GridBlock(8, heads=2, grid=(3, 4), expansion=2), torch.randn(2, 12, 8)
    torch.nn.init.normal_(block.nearness)
    parts = block.query_key_value(x / x.square().mean(2, keepdim=True).sqrt())
    query, key, value = (part.unflatten(2, (2, 4)).transpose(1, 2) for part in parts.chunk(3, 2))
    bias = block.nearness[relative_positions(3, 4)].permute(2, 0, 1)
    expected = block.out(scaled_dot_product_attention(query, key, value, attn_mask=bias).transpose(1, 2).flatten(2))
    torch.testing.assert_close(block.attended(x), expected, atol=1e-5, rtol=1e-4)


def test_a_large_grid_attends_within_its_windows_only():
    torch.manual_seed(0)
    grid = (32, 48)
    block = GridBlock(4, heads=1, grid=grid, expansion=1)
    assert block.window == (16, 16)
    x = torch.randn(2, 32 * 48, 4)
    torch.testing.assert_close(block.joined(block.parted(x)), x, atol=0, rtol=0)
    changed = as_maps(x, grid).clone()
    changed[:, :, 20, 17] += 1
    difference = as_maps(block(as_positions(changed)) - block(x), grid).abs().sum((0, 1))
    assert (difference[16:32, 16:32] > 0).all()
    difference[16:32, 16:32] = 0
    assert difference.max() == 0


def test_windows_are_the_largest_parts_that_divide_the_grid():
    assert window_of((32, 32)) == (32, 32)
    assert window_of((64, 36)) == (16, 12)
    with pytest.raises(UserError, match="37x64 cannot be parted"):
        window_of((37, 64))


def test_normalised_features_have_a_mean_square_of_one():
    torch.testing.assert_close(even_root(torch.randn(2, 5, 8) * 30).square().mean(2), torch.ones(2, 5), atol=1e-5, rtol=0)
