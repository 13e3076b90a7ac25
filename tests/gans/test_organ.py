"""ORGAN: rewards mix the critic's verdict and an objective, and what is repeated earns less."""

import numpy as np
import pytest
import torch

from gansmith.errors import UserError
from gansmith.kinds import find
from gansmith.kinds.molecules.chemistry import measured
from tests import toys


def test_the_reward_of_a_molecule_is_its_property():
    data = toys.every()["molecules"]
    rows, codec = data.packed(slice(0, 6))["molecule"], data.codec
    kind = find("molecules")
    expected = [measured(each, "qed") for each in codec.smiles(rows)]
    np.testing.assert_allclose(kind.reward(codec.spec, "qed")(rows), expected, rtol=1e-6)
    np.testing.assert_allclose(kind.reward(codec.spec, "-qed")(rows), 1 - np.array(expected), rtol=1e-6)
    assert (((found := kind.reward(codec.spec, "weight")(rows)) >= 0) & (found <= 1)).all()
    with pytest.raises(UserError, match="takes a computed property"):
        kind.reward(codec.spec, "qde")
    with pytest.raises(UserError, match="have no objectives"):
        find("text").reward(toys.every()["texts"].codec.spec, "qed")


def test_repeated_sequences_share_their_objective():
    data = toys.every()["molecules"]
    gan = toys.small("organ", data, objective_share=1.0).eval()
    tokens = data.batch(slice(0, 2))["molecule"]
    length = tokens.shape[1]
    finished = torch.cat([tokens[:1].expand(2 * length, -1), tokens[1:].expand(length, -1)])  # of three sequences, two end alike
    with torch.no_grad():
        found = gan._verdict(finished, None)
    worth = find("molecules").reward(data.codec.spec, "qed")(tokens.numpy())
    expected = [worth[0] / 2] * 2 * length + [worth[1]] * length
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5)
    with pytest.raises(UserError, match="objective-share must lie"):
        toys.small("organ", data, objective_share=2.0)
