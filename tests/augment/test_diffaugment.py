import torch

from gansmith.augment.diffaugment import DiffAugment


def batch(n: int, channels: int = 3, size: int = 16) -> torch.Tensor:
    return torch.rand(n, channels, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_a_translation_is_by_whole_pixels_into_nothing():
    torch.manual_seed(0)
    image = batch(1)
    padded = torch.nn.functional.pad(image, (2, 2, 2, 2))
    expected = {(y, x): padded[..., y : y + 16, x : x + 16] for y in range(5) for x in range(5)}
    results = DiffAugment(colour=False, cutout=False)(image.expand(400, -1, -1, -1))
    found = [next(shift for shift, reference in expected.items() if torch.equal(result[None], reference)) for result in results]
    assert set(found) == set(expected)


def test_a_cutout_is_half_of_each_side_and_anywhere():
    torch.manual_seed(0)
    results = DiffAugment(colour=False, translation=False)(torch.ones(2000, 1, 16, 16))
    cleared = (results == 0)[:, 0]
    heights, widths = cleared.any(2).sum(1), cleared.any(1).sum(1)
    # A centre on the edge leaves half of the rectangle inside.
    assert heights.min() == widths.min() == 4 and heights.max() == widths.max() == 8
    assert torch.equal(cleared.sum((1, 2)), heights * widths)
    assert cleared.any(0).all()


def test_colour_is_a_shift_a_stretch_from_grey_and_a_stretch_from_the_mean():
    torch.manual_seed(7)
    image = batch(1)
    changed = DiffAugment(translation=False, cutout=False)(image)
    torch.manual_seed(7)
    torch.rand(2, 1)  # whether the policy happens
    brightness, saturation, contrast = torch.rand(1).item() - 0.5, torch.rand(1).item() * 2, torch.rand(1).item() + 0.5
    expected = image + brightness
    expected = saturation * expected + (1 - saturation) * expected.mean(1, keepdim=True)
    expected = contrast * expected + (1 - contrast) * expected.mean()
    assert torch.allclose(changed, expected, atol=1e-6)


def test_alpha_has_no_colour_and_moves_with_the_rest():
    torch.manual_seed(0)
    images = batch(8, 4)
    coloured = DiffAugment(translation=False, cutout=False)(images)
    assert torch.equal(coloured[:, 3], images[:, 3]) and not torch.equal(coloured[:, :3], images[:, :3])
    moved = DiffAugment(colour=False, cutout=False)(images)
    assert not torch.equal(moved[:, 3], images[:, 3])


def test_without_policies_nothing_happens():
    images = batch(2)
    assert torch.equal(DiffAugment(colour=False, translation=False, cutout=False)(images), images)
