"""Molecules that a trained model finds for an objective."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from gansmith.errors import UserError
from gansmith.kinds.molecules.chemistry import PROPERTIES, canonical, measured
from gansmith.kinds.molecules.codec import MoleculeCodec
from gansmith.kinds.molecules.comparisons import comparisons, is_comparison, meets
from gansmith.kinds.molecules.drug import Drug
from gansmith.kinds.molecules.linking import scaffold_of
from gansmith.kinds.molecules.optimisation.goals import MoleculeObjective, goal_named, goal_near, goal_of, likeness
from gansmith.tasks.optimisation import Found, Settings, optimise, writer_of

if TYPE_CHECKING:
    from gansmith.model import Model

REFERENCE = 256
"""Molecules of the model that scale properties without bounds."""
SHOWN = ("qed", "logp", "sa", "weight")
"""Properties in the table of what was found."""


@dataclass(frozen=True)
class Optimised:
    """What was found."""

    found: Found
    rows: list[dict[str, Any]]
    """The best molecules that meet every condition: smiles, score, properties, similarity."""


def optimised(
    model: Model,
    *,
    maximise: Sequence[str] = (),
    minimise: Sequence[str] = (),
    where: Mapping[str, str] | None = None,
    like: str | None = None,
    similarity: float | None = None,
    scaffold: str | None = None,
    keep: int = 100,
    settings: Settings | None = None,
    watch: Callable[[Found], None] | None = None,
) -> Optimised:
    """The best molecules that the model finds, having learned to by reinforcement.

    `maximise` and `minimise` name computed properties or "FILE.py:FUNCTION", which takes a SMILES and returns a number from 0 to 1;
    `where` compares properties ({"logp": "<3"}) or says what they should be near ({"qed": "0.9"}); `like` is a molecule whose Tanimoto
    similarity is maximised, or kept at `similarity` at least; every molecule holds `scaffold`. At most `settings.alike` of the `keep` kept
    ones have one Bemis-Murcko scaffold. Raises UserError where nothing is asked for, and for what is none of these.
    """
    settings, where = settings or Settings(), dict(where or {})
    writer_of(model.gan)
    codec = model.codec
    assert isinstance(codec, MoleculeCodec)
    if similarity is not None and like is None:
        raise UserError("--similarity says how alike to the molecule of --like others must be: give --like SMILES too.")
    if similarity is not None and not 0 < similarity <= 1:
        raise UserError(f"--similarity must lie above 0 and at most at 1, but it is {similarity:g}.")
    if not (maximise or minimise or where or like or scaffold):
        raise UserError(
            'say what is to be optimised: --maximise qed, --maximise score.py:score, --where "logp<3", --like SMILES.'
        )
    core, drug, tests = scaffold_of(scaffold) if scaffold else None, Drug(like) if like else None, comparisons(where)
    equal = {name: value for name, value in where.items() if not is_comparison(value)}
    near = {name: _number(name, value) for name, value in equal.items()}
    known = codec.attributes.names if codec.attributes else ()
    labels = {name: value for name, value in equal.items() if name in known}
    reference = _written(model, settings.seed)
    goals = [
        *(goal_named(each, "--maximise", 1, reference) for each in maximise),
        *(goal_named(each, "--minimise", -1, reference) for each in minimise),
        *(goal_of(test, reference) for test in tests),
        *(goal_near(name, number, reference) for name, number in near.items()),
        *([likeness(drug, similarity)] if drug is not None else []),
    ]
    objective = MoleculeObjective(codec, goals, core)
    conditions = (lambda n, rng: codec.conditions(n, rng, **labels)) if codec.attributes else None
    found = optimise(model.gan, objective, settings, conditions, watch)
    rows = []
    for smiles, score in found.best(alike=settings.alike):
        if not meets(smiles, tests) or (drug is not None and similarity is not None and drug.similarity(smiles) < similarity):
            continue
        row: dict[str, Any] = {"smiles": smiles, "score": score}
        own = {goal.name: part for goal, part in zip(goals, objective.parts[smiles], strict=True)}
        row |= {name: part for name, part in own.items() if name.isidentifier() and name not in SHOWN}
        row |= {"similarity": drug.similarity(smiles)} if drug is not None else {}
        rows.append(row | {name: measured(smiles, name) for name in SHOWN})
        if len(rows) == keep:
            break
    return Optimised(found, rows)


def _written(model: Model, seed: int) -> list[str]:
    """Valid molecules of the model as it is."""
    codec = model.codec
    assert isinstance(codec, MoleculeCodec)
    found = [canonical(each) for each in codec.smiles(model.sample(REFERENCE, seed=seed)[codec.spec.key].numpy())]
    return [each for each in found if each is not None]


def _number(name: str, value: str) -> float:
    if name not in PROPERTIES:
        raise UserError(f"{name} is not computed, so that it cannot be optimised: it is one of {', '.join(PROPERTIES)}.")
    try:
        return float(value)
    except ValueError as error:
        raise UserError(f"{name} takes a number, but it is {value!r}.") from error


def agent_model(model: Model, found: Found) -> Model:
    """The model with what the agent learned in place of its averaged generator."""
    assert found.agent is not None
    with torch.no_grad():
        model.gan.players["generator"].averaged.load_state_dict(found.agent.state_dict())
    return model
