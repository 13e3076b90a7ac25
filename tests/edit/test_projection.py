import numpy as np
import pytest
import torch
from PIL import Image

from gansmith.edit.projection import distance, fuse, likeness, project
from gansmith.edit.seeding import Seeded
from gansmith.errors import UserError
from gansmith.kinds.images.codec import Picture


@pytest.mark.parametrize("kind", ["labelled", "attributed", "styled"])
def test_a_generated_picture_is_found_again(kind: str, request: pytest.FixtureRequest) -> None:
    model = request.getfixturevalue(kind)
    (target,) = Seeded(model, [123]).generate(1)
    where = {"class": target.label} if target.label else {name: str(value) for name, value in (target.attributes or {}).items()}
    found = project(model, target, steps=150, where=where)
    assert found.likeness.psnr > found.likeness_of_start.psnr + 3
    np.testing.assert_array_equal(np.asarray(found.target.image), np.asarray(target.image))
    assert found.style.shape[0] == 1 and "PSNR" in found.sentence()
    if found.style.dim() == 2:
        assert float(found.style.norm()) == pytest.approx(16**0.5, rel=1e-3)


def test_more_steps_come_nearer_and_equal_seeds_find_the_same(plain) -> None:
    target = Seeded(plain, [9]).generate(1)[0]
    few, many, again = (project(plain, target, steps=steps) for steps in (0, 60, 60))
    assert few.likeness.psnr == few.likeness_of_start.psnr < many.likeness.psnr
    torch.testing.assert_close(many.style, again.style)


@pytest.mark.parametrize(
    ("values", "said"), [(np.full((1, 8, 8), np.nan), "NaN"), (np.ones((7, 8, 8), np.float32), "7 channels")]
)
def test_pictures_that_the_model_cannot_make_are_refused(plain, values: np.ndarray, said: str) -> None:
    with pytest.raises(UserError, match=f"the picture .*{said}.*: give one like those"):
        project(plain, Picture(Image.new("L", (8, 8)), values=values), steps=1)


def test_likeness_is_what_the_formulas_say() -> None:
    a = torch.zeros(1, 1, 16, 16)
    same = likeness(a, a)
    assert same.psnr == pytest.approx(100) and same.ms_ssim == pytest.approx(1)
    assert likeness(a, a + 0.2).psnr == pytest.approx(-10 * np.log10(0.01), abs=1e-3)


def test_distance_counts_coarse_differences_more_than_fine_ones() -> None:
    flat = torch.zeros(1, 1, 16, 16)
    checks = torch.ones(16, 16).cumsum(0).add(torch.ones(16, 16).cumsum(1)).remainder(2).mul(2).sub(1)[None, None]
    assert distance(checks, flat).item() == pytest.approx(1.0)
    assert distance(flat + 1, flat).item() == pytest.approx(3.0)  # at 16, 8 and 4 pixels


def test_a_fusion_begins_and_ends_with_the_projections(labelled) -> None:
    first, second = (project(labelled, target, steps=5) for target in Seeded(labelled, [1, 2]).generate(2))
    pictures = fuse(labelled, first, second, frames=5)
    assert [picture.label for picture in pictures[::4]] == [first.painted.label, second.painted.label]
    for picture, end in ((pictures[0], first), (pictures[-1], second)):
        np.testing.assert_allclose(np.asarray(picture.image, float), np.asarray(end.painted.image, float), atol=1)
    assert isinstance(pictures[2], Picture)
