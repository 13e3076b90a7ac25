import torch
from torch.nn.functional import cross_entropy, normalize

from gansmith.layers.patch_contrast import PatchProjection, patch_contrast, random_places


def test_the_contrast_is_a_classification_of_places_within_each_image():
    torch.manual_seed(0)
    made, given = (normalize(torch.randn(2, 5, 7), dim=2) for _ in range(2))
    expected = torch.stack([cross_entropy(made[i] @ given[i].T / 0.07, torch.arange(5)) for i in range(2)]).mean()
    torch.testing.assert_close(patch_contrast([made], [given]), expected)
    assert patch_contrast([made], [made]) < patch_contrast([made], [given])


def test_the_given_side_takes_no_gradient():
    made, given = (torch.randn(1, 4, 3, requires_grad=True) for _ in range(2))
    patch_contrast([made], [given]).backward()
    assert made.grad is not None and given.grad is None


def test_projections_are_of_length_one_at_distinct_places():
    torch.manual_seed(0)
    features = [torch.randn(2, 3, 4, 4), torch.randn(2, 6, 2, 2)]
    places = random_places(features, 9)
    assert [len(place) for place in places] == [9, 4] and all(place.unique().numel() == len(place) for place in places)
    found = PatchProjection([3, 6], 8)(features, places)
    assert [x.shape for x in found] == [(2, 9, 8), (2, 4, 8)]
    torch.testing.assert_close(found[0].norm(dim=2), torch.ones(2, 9))
