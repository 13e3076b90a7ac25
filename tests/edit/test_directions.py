import numpy as np
import pytest
import torch

from gansmith.edit.directions import Directions, find_directions, principal, reading_weights, regressed, sefa, strips
from gansmith.edit.studio import Studio
from gansmith.errors import UserError


def test_sefa_finds_the_eigenvectors_of_the_weights() -> None:
    weight = torch.randn(40, 7, generator=torch.Generator().manual_seed(0))
    rows, lengths = sefa(weight, 3)
    values, vectors = np.linalg.eigh((weight.T @ weight).numpy().astype(np.float64))
    np.testing.assert_allclose(lengths.square(), values[::-1][:3], rtol=1e-4)
    np.testing.assert_allclose(np.abs(rows.numpy() @ vectors[:, ::-1][:, :3]), np.eye(3), atol=1e-4)
    torch.testing.assert_close((weight @ rows.T).norm(dim=0), lengths)


def test_principal_components_are_those_of_scikit_learn() -> None:
    from sklearn.decomposition import PCA

    rows = torch.randn(200, 5, generator=torch.Generator().manual_seed(0)) * torch.tensor([5.0, 1, 3, 0.5, 2])
    found, deviations = principal(rows, 3)
    expected = PCA(3).fit(rows.numpy())
    np.testing.assert_allclose(np.abs(found.numpy()), np.abs(expected.components_), atol=1e-4)
    np.testing.assert_allclose(deviations.square(), expected.explained_variance_, rtol=1e-4)


def test_components_of_what_is_seen_are_carried_back_into_the_noise() -> None:
    """Pictures that are a linear map of the noise: the first component belongs to the first singular vector of the map."""
    latents = torch.randn(4000, 6, generator=torch.Generator().manual_seed(0))
    turned, _ = torch.linalg.qr(torch.randn(6, 6, generator=torch.Generator().manual_seed(1)))
    weight = torch.randn(30, 6, generator=torch.Generator().manual_seed(2))
    left, _, _ = torch.linalg.svd(weight, full_matrices=False)
    rows, _ = regressed(latents, latents @ (left @ torch.diag(torch.tensor([9.0, 5, 3, 1, 1, 1])) @ turned).T, 2)
    np.testing.assert_allclose((rows @ turned.T).abs()[:, :2], np.eye(2), atol=0.06)


def test_the_weights_that_read_the_noise_are_found(plain, labelled) -> None:
    studio = Studio(plain)
    latents = studio.latents([1, 2])
    found = reading_weights(studio, latents, {})
    first = next(layer for layer in plain.gan.players["generator"].averaged.modules() if isinstance(layer, torch.nn.Linear))
    torch.testing.assert_close(found, first.weight.detach())
    studio = Studio(labelled)
    condition = studio.conditions(2)
    found = reading_weights(studio, studio.latents([1, 2]), condition)
    transposed = labelled.gan.players["generator"].averaged.first.weight  # [noise + classes, out, 4, 4]
    assert found.shape == (transposed.shape[1] * 16, 16)
    torch.testing.assert_close(found.T.reshape(16, -1).sort().values, transposed.detach()[:16].flatten(1).sort().values)


def test_styles_are_read_in_every_layer(styled) -> None:
    studio = Studio(styled)
    styles = studio.styles(studio.latents([1, 2]), {})
    network = styled.gan.players["generator"].averaged
    torch.testing.assert_close(
        reading_weights(studio, styles, {}), torch.cat([network.first.weight, network.second.weight]).detach()
    )


@pytest.mark.parametrize("by", ["sefa", "ganspace"])
@pytest.mark.parametrize("kind", ["labelled", "styled"])
def test_the_first_direction_changes_pictures_more_than_the_last(by: str, kind: str, request: pytest.FixtureRequest) -> None:
    model = request.getfixturevalue(kind)
    found = find_directions(model, by=by, count=6)
    torch.testing.assert_close(found.rows.norm(dim=1), torch.ones(6))
    assert (found.strength.diff() <= 1e-5).all()
    studio = Studio(model)
    condition = studio.one_condition(50)
    styles = studio.styles(studio.latents(range(50)), condition)
    at_rest = torch.cat([batch["image"] for batch in studio.batches(styles, condition)])

    def change(row: int) -> float:
        moved = styles + 0.5 * found.step[row] * found.rows[row]
        return float(torch.cat([batch["image"] for batch in studio.batches(moved, condition)]).sub(at_rest).square().mean())

    assert change(0) > change(5)


def test_strips_begin_at_the_seed(labelled) -> None:
    rows = torch.eye(16)[:3]
    sheet = strips(labelled, Directions(rows, torch.ones(3), torch.ones(3)), seed=2, steps=(-1, 0, 1), **{"class": "0"})
    pictures = sheet.pictures
    assert sheet.rows == ["direction 0", "direction 1", "direction 2"] and sheet.columns == ["-1", "as it is", "+1"]
    assert len(pictures) == 9
    middle = np.asarray(pictures[1])
    assert all(np.array_equal(middle, np.asarray(pictures[place])) for place in (4, 7))
    assert not np.array_equal(middle, np.asarray(pictures[0]))


def test_ganspace_looks_at_one_condition(labelled, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, batches = [], Studio.batches
    monkeypatch.setattr(
        Studio, "batches", lambda own, styles, condition: (seen.append(condition), batches(own, styles, condition))[1]
    )
    find_directions(labelled, by="ganspace", count=2, **{"class": "1"})
    assert [condition["label"].unique().tolist() for condition in seen] == [[1]]


def test_unknown_methods_are_refused(plain) -> None:
    with pytest.raises(UserError, match="sefa or ganspace, not 'pca'"):
        find_directions(plain, by="pca")
