"""What a seed makes does not depend on how many examples are made, for every GAN and kind of data."""

import pytest
import torch

from gansmith.errors import UserError
from gansmith.model import CHUNK, FIRST, MANY, Model, _blocks
from gansmith.training.seeds import seed_everything
from tests import toys
from tests.contract.test_gans import cases


def model_of(name: str, toy: str) -> Model:
    data = toys.every()[toy]
    seed_everything(0)
    return Model(toys.small(name, data), data.codec, {"gan": name}, data)


@pytest.mark.parametrize(("name", "toy"), cases())
def test_few_examples_are_the_beginning_of_many(name: str, toy: str) -> None:
    model = model_of(name, toy)
    many = model.sample(100, seed=1)
    for n in (1, 2, 3, 17, 64, 99):
        for key, tensor in model.sample(n, seed=1).items():
            assert len(tensor) == n and torch.equal(tensor, many[key][:n]), (n, key)
    assert not torch.equal(many[model.codec.spec.key], model.sample(100, seed=2)[model.codec.spec.key]) or model.codec.spec.source


@pytest.mark.parametrize(("name", "toy"), [("gan", "points"), ("dcgan", "labelled"), ("ctgan", "rows"), ("rcgan", "series")])
def test_it_holds_over_every_size_of_block(name: str, toy: str) -> None:
    model = model_of(name, toy)
    many = model.sample(MANY + CHUNK + 10, seed=7)
    for n in (FIRST + 1, CHUNK - 1, CHUNK, CHUNK + 1, 300, MANY - 1, MANY, MANY + 1, MANY + CHUNK):
        for key, tensor in model.sample(n, seed=7).items():
            assert len(tensor) == n and torch.equal(tensor, many[key][:n]), (n, key)


def test_requested_rows_are_the_beginning_of_more_and_counted() -> None:
    model = model_of("ctgan", "rows")
    many = model.sample(600, seed=3, size="large")
    kept = model.codec.complies(many, size="large")
    assert model.as_requested == kept.sum()
    for n in (1, 100, 300):
        assert torch.equal(model.sample(n, seed=3, size="large")["row"], many["row"][:n])
        assert model.as_requested == kept[:n].sum()


@pytest.mark.parametrize("where", [["class"], "class=1", 3, {1, 2}])
def test_conditions_that_are_no_names_with_values_are_refused(where: object) -> None:
    with pytest.raises(UserError, match="where takes names with values"):
        model_of("dcgan", "labelled").sample(2, where=where)  # pyright: ignore[reportArgumentType]


def test_noise_is_the_same_whatever_the_label() -> None:
    model = model_of("dcgan", "labelled")
    with torch.no_grad():
        for name, parameter in model.gan.named_parameters():
            if "embedding" in name:
                parameter.zero_()
    drawn, requested = model.sample(40, seed=5), model.sample(40, seed=5, **{"class": "1"})
    same = drawn["label"] == 1
    assert 0 < same.sum() < 40 and torch.equal(drawn["image"][same], requested["image"][same])


@pytest.mark.parametrize("n", [1, 2, 5, 64, 100, 1000, 1025, 5000])
def test_blocks_do_not_depend_on_how_many_are_made_and_waste_little(n: int) -> None:
    found, endless = list(_blocks(n, CHUNK, whole=False)), list(_blocks(10**5, CHUNK, whole=False))
    assert found == endless[: len(found)]
    made = found[-1][0] + found[-1][1]
    assert n <= made < max(2 * n, 2) and (n < FIRST or made < n + FIRST or n > MANY) and (n <= MANY or made < n + CHUNK)
    assert all(start + size == after for (start, size), (after, _) in zip(found, found[1:], strict=False))
