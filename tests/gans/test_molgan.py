"""MolGAN: bonds that atoms can have, graphs that hang together, and the gate."""

import torch

from gansmith.gans.molgan import INTERVAL, signatures
from gansmith.kinds.molecules.spec import MoleculeSpec
from gansmith.training.seeds import seed_everything
from gansmith.training.trainer import Settings, Trainer
from tests import toys


def game(**options):
    seed_everything(0)
    return toys.small("molgan", toys.every()["molecular graphs"], **options)


def test_charges_change_how_many_bonds_an_atom_can_have():
    spec = MoleculeSpec(shape=(4, 4), vocabulary=9, language="graph", pieces=("C", "N", "O", "F", "N+", "O-", "S", "Fe"))
    assert spec.valences() == (4, 3, 2, 1, 4, 1, 6, 12)


def test_no_atom_has_more_bonds_than_it_can_and_all_hang_together():
    painter = game().painter.eval()
    torch.nn.init.normal_(painter.to_bonds.weight, std=3)
    graphs = painter(torch.randn(200, painter.noise))
    types, orders = graphs.diagonal(dim1=1, dim2=2), graphs - torch.diag_embed(graphs.diagonal(dim1=1, dim2=2))
    assert torch.equal(orders, orders.transpose(1, 2)) and (orders.sum(2) <= painter.valences[types]).all()
    assert (orders.sum(2)[types == 0] == 0).all() and (types > 0).any(1).all()
    near = ((orders > 0).float() + torch.eye(graphs.shape[1])).matrix_power(graphs.shape[1]) > 0
    there = types > 0
    assert (near | ~(there[:, :, None] & there[:, None])).all()


def test_what_the_critic_reads_is_what_is_generated():
    run = game()
    noise = torch.randn(50, run.painter.noise)
    torch.testing.assert_close(run.painter.soft(noise, None), run.flat(run.painter(noise)))


def test_signatures_do_not_depend_on_the_order_of_atoms():
    painter = game().painter.eval()
    torch.nn.init.normal_(painter.to_bonds.weight, std=3)
    graphs = painter(torch.randn(100, painter.noise))
    order = torch.randperm(graphs.shape[1], generator=torch.Generator().manual_seed(1))
    assert torch.equal(signatures(graphs), signatures(graphs[:, order][:, :, order]))
    other = graphs.clone()
    other[:, 0, 0] = other[:, 0, 0] % 2 + 1
    changed = (other != graphs).flatten(1).any(1)
    assert (signatures(graphs) != signatures(other))[changed].all()


def test_a_game_that_makes_too_few_different_graphs_goes_back(monkeypatch):
    run = game(unique=0.5)
    trainer = Trainer(run, toys.every()["molecular graphs"], Settings(batch=8, samples=8 * 3 * INTERVAL))
    run.clock.total = 8 * 3 * INTERVAL
    trainer.play_round()
    run.clock.rounds = INTERVAL - 1
    trainer.play_round()
    kept = [p.clone() for p in run.before["generator"].parameters()]
    assert float(run.seen) == run.gauges()["unique"] > 0.5
    monkeypatch.setattr("gansmith.gans.molgan.signatures", lambda graphs: torch.zeros(len(graphs)))
    trainer.play_round()
    run.clock.rounds = 2 * INTERVAL - 1
    run._watch(None)
    assert all(torch.equal(a, b) for a, b in zip(kept, run.generator.network.parameters(), strict=True))
