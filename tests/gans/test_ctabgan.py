"""CTAB-GAN: pictures of rows, the classifier's loss, what is refused."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cross_entropy

from gansmith.errors import UserError
from gansmith.gans.ctabgan import Classifier, Config, PictureCritic, PictureGenerator, side_of
from gansmith.kinds.tables.build import build_table
from gansmith.kinds.tables.cells import Table, cells_of
from gansmith.layers.requested import PER, only, sampled
from gansmith.layers.rows import RowLayout
from tests import toys

TINY = Config(channels=4, noise=8, classifier_width=16)


@pytest.mark.parametrize(("numbers", "side"), [(1, 4), (16, 4), (17, 8), (64, 8), (65, 16), (1024, 32)])
def test_a_row_fills_the_smallest_square_that_holds_it(numbers: int, side: int):
    assert side_of(numbers) == side


def test_the_classifier_is_judged_by_the_target_alone_and_does_not_see_it():
    data = toys.rows()
    torch.manual_seed(0)
    classifier = Classifier(Config(classifier_width=16), replace(data.codec.spec, target=0)).eval()
    row = data.batch(slice(0, 64))["row"]
    other = row.clone()
    other[:, classifier.own] = other[:, classifier.own].roll(1, 1)
    told = []
    for given in (row, other):
        hook = classifier.leave.register_forward_hook(lambda module, inputs, output: told.append(output))
        loss = classifier(given)
        hook.remove()
        expected = cross_entropy(told[-1], given[:, classifier.own].argmax(1), reduction="none")
        assert torch.allclose(loss, expected, atol=1e-5)
    assert torch.equal(told[0], told[1])


def test_a_number_is_told_by_squared_error_where_it_counts():
    data = toys.rows()
    spec = data.codec.spec
    target = next(i for i, sizes in enumerate(spec.columns) if sizes == (1,))
    classifier = Classifier(Config(classifier_width=16), replace(spec, target=target)).eval()
    row = data.batch(slice(0, 32))["row"]
    without = row.clone()
    without[:, classifier.own] = 0
    assert torch.allclose(classifier(row).sqrt(), (row[:, classifier.own] - _told(classifier, without))[:, 0].abs(), atol=1e-5)


def _told(classifier: Classifier, row: torch.Tensor) -> torch.Tensor:
    for layer in classifier.layers:
        row = torch.nn.functional.leaky_relu(layer(row), 0.2)
    return classifier.leave(row)


def test_pictures_hold_all_of_a_row_and_its_wish():
    spec = toys.rows().codec.spec
    width = spec.shape[0]
    generator, critic = PictureGenerator(TINY, spec), PictureCritic(TINY, spec)
    assert generator(torch.randn(5, generator.noise), torch.zeros(5, width)).shape == (5, width)
    assert critic.side**2 - critic.padding == 2 * width
    row = torch.randn(4, width, requires_grad=True)
    critic(row, torch.zeros(4, width)).sum().backward()
    assert row.grad is not None and (row.grad.abs().sum(0) > 0).all()


def test_rare_categories_are_met_as_often_as_the_logarithm_of_their_frequency():
    shares = torch.tensor([0.9, 0.09, 0.01])
    data = build_table(
        Table(
            name="rare",
            columns={"c": cells_of(["a"] * 900 + ["b"] * 90 + ["c"] * 10), "n": cells_of([0.1 * i for i in range(1000)])},
        )
    )
    layout = RowLayout(data.codec.spec)
    row = data.batch(slice(None))["row"]
    all_shares = row.mean(0)
    torch.manual_seed(0)
    met = torch.stack([sampled(row, all_shares, layout)[1][:, :3].mean(0) for _ in range(40)]).mean(0)
    expected = (1 + PER * shares).log()
    assert torch.allclose(met, expected / expected.sum(), atol=0.03)
    requested = only(row, torch.zeros(1000, dtype=torch.int64), layout)
    assert torch.equal(requested[:, :3], row[:, :3]) and not requested[:, 3:].any()


def test_what_does_not_fit_is_refused_in_a_sentence():
    numbers = build_table(
        Table(name="numbers", columns={"a": cells_of([i / 7 for i in range(100)]), "b": cells_of([i / 3 for i in range(100)])})
    )
    with pytest.raises(UserError, match="no column of this table has any"):
        toys.small("ctabgan", numbers)
