"""RowGAN: what it learns, what it keeps of conditions, and what it does not keep of the data."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from gansmith.gans.rowgan import Config, RowGAN
from gansmith.kinds.tables.spec import TableSpec
from gansmith.layers.rows import Margins, RowLayout, drawn_cells, gumbel, picked
from gansmith.layers.sweep import blend
from gansmith.model import Model
from gansmith.training.seeds import seed_everything
from gansmith.training.trainer import Settings, Trainer
from tests import toys


@pytest.fixture(scope="module")
def model() -> Model:
    """A small RowGAN after some seconds on parcels."""
    data = toys.rows(1000)
    seed_everything(0)
    gan = RowGAN(Config(width=64, critic_width=64, blocks=2, noise=16), data.codec.spec)
    Trainer(gan, data, Settings(batch=128, samples=128 * 250)).train()
    return Model(gan, data.codec, {"gan": "rowgan"})


def test_columns_and_their_dependence_are_learned(model):
    rows = model.generate(2000)
    real = toys.rows(2000)
    known = real.codec.decode(real.batch(slice(None)))
    for name in ("size", "used"):
        shares = [Counter(row[name] for row in side) for side in (rows, known)]
        assert all(abs(shares[0][word] - shares[1][word]) < 120 for word in shares[1])
    used = [
        [row["used"] for row in side if row["size"] == "large"].count("yes") / max(1, sum(r["size"] == "large" for r in side))
        for side in (rows, known)
    ]
    assert abs(used[0] - used[1]) < 0.2
    assert all(row["letter"] == row["size"][0].upper() for row in rows)


@pytest.mark.parametrize(
    "wish",
    [{"size": "large"}, {"weight": ">8"}, {"hours": "missing"}, {"used": "no", "hours": "0"}, {"letter": "M", "weight": "<2"}],
)
def test_every_row_is_as_requested(model, wish):
    model.sample(300, **wish)
    assert model.as_requested == 300


def test_a_wish_that_rejection_cannot_fulfil_is_met_by_completion(model):
    made = model.sample(64, weight=">14", size="small", used="yes", hours=">190")
    assert model.codec.complies(made, weight=">14", size="small", used="yes", hours=">190").all()


def test_known_cells_are_kept_when_rows_are_completed(model):
    rows = [{**row, "weight": None, "used": None} for row in model.generate(50)]
    made = model.codec.decode(model.gan.generate(50, model.codec.to_impute(rows), rng=torch.Generator().manual_seed(0)))
    assert all(
        new["size"] == old["size"] and old["hours"] in (None, new["hours"]) and new["weight"] is not None
        for new, old in zip(made, rows, strict=True)
    )


def test_the_saved_model_holds_no_training_row(model, tmp_path):
    """No tensor has a row for each training row, and no combination of what is saved gives back more than single columns."""
    from gansmith.data.tensors import read_tensors

    model.save(tmp_path)
    tensors, _ = read_tensors(tmp_path / "model.safetensors")
    assert all(1000 not in tensor.shape and 800 not in tensor.shape for tensor in tensors.values())
    again = Model.load(tmp_path)
    assert again.gan.state_dict()["real_frequencies"].abs().sum() == 0  # statistics of training stay in checkpoints
    real = toys.rows(1000)
    rows = {tuple(row.values()) for row in real.codec.decode(real.batch(slice(None)))}
    rare = {row for row in rows if row[3] not in ("0", None) and row[3] != 0}
    made = {tuple(row.values()) for row in again.generate(2000)}
    assert len(made & rare) < 0.02 * len(rare)


def test_margins_bring_shares_and_ranks_to_those_of_the_data(model):
    network = model.gan.averaged
    with torch.inference_mode():
        margins = Margins.measured(network)
        row = model.sample(4000)["row"]
    layout = RowLayout(model.codec.spec)
    assert (row.mean(0)[layout.choice] - network.shares[layout.choice]).abs().max() < 0.03
    weight = row[:, layout.number[layout.gate == layout.width]]
    assert weight.mean().abs() < 0.06 and abs(weight.std() - 1) < 0.06 and margins.ranks.shape == (layout.numbers, 512)


def test_the_term_of_cells_is_that_of_a_naive_loop():
    data = toys.rows(40)
    seed_everything(1)
    gan = RowGAN(Config(width=16, critic_width=16, blocks=1, noise=8), data.codec.spec)
    torch.nn.init.normal_(gan.network.leave.weight)
    real, layout = data.batch(slice(None))["row"], gan.layout
    seed_everything(2)
    found = gan.cell(real)
    seed_everything(2)
    noise, dice = torch.randn(40, 2, gan.network.noise), torch.rand(40, 2)
    lost = []
    for place in range(0, 40, 2):
        column = gan.target if dice[place, 1] < 0.5 else int(dice[place, 0] * layout.columns)
        start, size = layout.place(column)
        known = torch.ones(2, layout.columns, dtype=torch.bool)
        known[:, column] = False
        heads = gan.network.heads(noise[place], real[place].expand(2, -1), known)[:, start : start + size]
        truth = real[place, start : start + size]
        groups, loss = data.codec.spec.columns[column], torch.zeros(())
        if groups[0] > 1:
            loss = -heads[:, : groups[0]].log_softmax(1)[:, truth[: groups[0]].argmax()].mean()
        if groups[-1] == 1 and (len(groups) == 1 or truth[groups[0] - 1] == 1):
            first, second = heads[:, -1]
            loss = loss + ((first - truth[-1]).abs() + (second - truth[-1]).abs() - (first - second).abs()) / 2
        lost.append(loss)
    torch.testing.assert_close(found, torch.stack(lost).mean())


def test_the_target_is_drawn_last_and_a_column_alone_is_not_drawn_again():
    spec = toys.rows(40).codec.spec
    assert RowGAN(Config(width=8, critic_width=8, blocks=1), replace(spec, target=1)).order()[-1] == 1
    alone = TableSpec(shape=(3,), columns=((3,),))
    assert RowGAN(Config(width=8, critic_width=8, blocks=1), alone).order() == []


def test_drawing_a_column_again_changes_nothing_else_and_nothing_that_is_known(model):
    whole = model.gan.whole()
    row = model.sample(200)["row"]
    latent, dice = (torch.randn(200, size, generator=torch.Generator().manual_seed(2)) for size in (whole.latent, 99))
    own = whole.owns[1]
    with torch.inference_mode():
        entered = whole.entered(row)
        whole.change(entered, leave=[(1, row[:, own])])
        made = whole.drawn(1, whole.heads(1, latent, entered), dice[:, : own.stop - own.start], whole.of_cells)
        whole.change(entered, come=[(1, made)])
        after = whole.entered(torch.cat([row[:, : own.start], made, row[:, own.stop :]], 1))
        torch.testing.assert_close(entered, after, atol=1e-5, rtol=1e-5)
        known = torch.rand(200, 4, generator=torch.Generator().manual_seed(1)) < 0.5
        known = known.repeat(1, model.gan.layout.columns)[:, : model.gan.layout.columns]
        again = whole(torch.randn(200, whole.noise, generator=torch.Generator().manual_seed(2)), row, known)
    same = model.gan.layout.of_columns(known)
    assert torch.equal(again[same], row[same]) and not torch.equal(again, row) and not torch.equal(made, row[:, own])


def test_in_bfloat16_cells_are_drawn_almost_as_in_float32(model):
    """Of the choices, one in a hundred may fall the other way; numbers where none did differ by rounding."""
    slow, fast = model.gan.whole(), model.gan.whole(fast=True)
    noise = torch.randn(2000, slow.noise, generator=torch.Generator().manual_seed(6))
    with torch.inference_mode():
        rows, near = slow(noise), fast(noise)
    layout = model.gan.layout
    same = (rows[:, layout.choice] == near[:, layout.choice]).all(1)
    assert same.float().mean() > 0.97
    assert (rows - near)[same].abs().mean() < 0.02
    torch.testing.assert_close(rows.mean(0), near.mean(0), atol=0.01, rtol=0)


def test_trees_are_learned_once_before_the_first_round_and_kept(model, tmp_path):
    sharp = model.gan.averaged.sharp
    assert all(bool(each.known) for each in sharp.values()) and len(sharp) == model.gan.layout.columns
    model.save(tmp_path)
    again = Model.load(tmp_path)
    torch.testing.assert_close(again.sample(40, seed=2)["row"], model.sample(40, seed=2)["row"])


def test_without_trees_networks_tell_all_columns():
    data = toys.rows(200)
    gan = RowGAN(Config(width=16, critic_width=16, blocks=1, trees=0), data.codec.spec)
    Trainer(gan, data, Settings(batch=64, samples=256)).train()
    assert not gan.averaged.sharp and not gan.whole().sharp


def test_gumbel_noise_has_the_mean_of_the_gumbel_distribution():
    noise = gumbel(torch.randn(200_000, generator=torch.Generator().manual_seed(0)))
    assert noise.mean().item() == pytest.approx(np.euler_gamma, abs=0.02)
    assert noise.var().item() == pytest.approx(np.pi**2 / 6, abs=0.03)


def test_gumbel_noise_is_that_of_double_precision_in_both_tails():
    normal = torch.linspace(-5.9, 5.9, 1001)
    exact = -(-torch.special.log_ndtr(normal.double())).log()
    torch.testing.assert_close(gumbel(normal).double(), exact, atol=2e-5, rtol=1e-5)
    assert torch.isfinite(gumbel(torch.tensor([-40.0, 0.0, 40.0]))).all()


def test_options_are_picked_as_often_as_their_shares_say():
    shares = torch.tensor([[[0.5, 0.2, 0.3]]]).expand(20_000, 1, 3)
    found = picked(shares, torch.rand(20_000, 1, generator=torch.Generator().manual_seed(0))).mean(0)[0]
    torch.testing.assert_close(found, shares[0, 0], atol=0.01, rtol=0)


def test_a_sweep_is_drawing_one_column_after_the_other_again(model):
    """Incremental sums of the first layer give what each column's own pass gives."""
    whole = model.gan.whole()
    network, layout = model.gan.averaged, model.gan.layout
    noise = torch.randn(50, whole.noise, generator=torch.Generator().manual_seed(3))
    known = torch.rand(50, layout.columns, generator=torch.Generator().manual_seed(4)) < 0.3
    given = model.sample(50, seed=9)["row"]
    with torch.inference_mode():
        first, *rest = noise.split(whole.parts, 1)
        row = network(first, given, known, whole.margins)
        for column, part in zip(whole.order, rest, strict=True):
            own, others = whole.owns[column], torch.arange(layout.columns) != column
            heads = network.heads(part, row, others.expand(50, -1))[:, own]
            told = whole.sharp[str(column)](row, part[:, 0])
            heads = blend(told, heads, part[:, 1:2], whole.sizes[column]) if column == model.gan.target else told
            ranks = whole.of_cells.ranks[layout.numbers_of(column)]
            dice = gumbel(part[:, whole.latent :])
            fresh = drawn_cells(heads + whole.of_cells.logits[own], dice, whole.sizes[column], ranks, whole.of_cells.scores)
            row = torch.where(
                layout.of_columns(known | others), row, torch.zeros_like(row).index_copy(1, torch.arange(len(row[0]))[own], fresh)
            )
        torch.testing.assert_close(whole(noise, given, known), row, atol=1e-4, rtol=1e-4)


def test_rows_drawn_in_half_precision_are_distributed_alike(model):
    """The shares of options and the means of numbers differ by no more than chance."""
    slow, fast = (model.gan.whole(fast) for fast in (False, True))
    noise = torch.randn(4000, slow.noise, generator=torch.Generator().manual_seed(5))
    with torch.inference_mode():
        one, other = slow(noise), fast(noise)
    torch.testing.assert_close(one.mean(0), other.mean(0), atol=0.04, rtol=0)
    assert (one == other).float().mean() > 0.6
