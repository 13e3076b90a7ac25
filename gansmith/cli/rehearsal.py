"""gansmith train --dry-run: what would be trained, before anything is."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gansmith.cli.output import Output
from gansmith.errors import UserError

if TYPE_CHECKING:
    from gansmith.cli.train import Train
    from gansmith.game import GAN


def rehearse(options: Train, argv: Sequence[str]) -> int:
    """Prints the resolved configuration, the parameters, the memory and the order of moves; leaves no run folder behind."""
    if options.data is None:
        raise UserError("A dry run needs data, e.g. gansmith train digits --dry-run.")
    from gansmith import kinds
    from gansmith.api import opening_for
    from gansmith.kinds.opening import open_dataset
    from gansmith.planning import plan as planning

    data = open_dataset(options.data, **opening_for(options.data, options.gan, options.opening.opening()))
    arguments = options.arguments(argv)
    if options.start_from is not None:
        from gansmith.runs.warm_start import Origin, as_there

        found = as_there(Origin.read(options.start_from), arguments["gan"], arguments["preset"], arguments["options"])
        arguments |= {"gan": found[0], "options": found[1]}
    plan = planning.settle_threads(planning.plan(data, **arguments), data)
    rehearsal = planning.rehearse(plan, data)
    parts = _parts(plan.build(data))
    spec = data.codec.spec
    facts: dict[str, Any] = {
        "gan": plan.gan,
        "preset": plan.preset,
        "data": {"name": data.name, "examples": len(data), **spec.to_json()},
        "mirror": plan.mirror,
        "settings": dataclasses.asdict(plan.settings),
        "config": dataclasses.asdict(plan.config),
        "parameters": parts,
        **dataclasses.asdict(rehearsal),
    }
    output = Output(options.json)
    what = kinds.find(spec.kind).unit
    classes = f", {len(spec.classes)} classes" if spec.classes else ""
    output.say(f"{plan.gan} (preset {plan.preset}) on {data.name}: {len(data):,} {what} {list(spec.shape)}{classes}")
    for sentence in (*data.remarks(), *((plan.because,) if plan.because else ())):
        output.say(sentence)
    output.say()
    for title, values in (
        ("settings", {**facts["settings"], "mirror": plan.mirror}),
        (f"--gan.* of {plan.gan}", facts["config"]),
    ):
        output.say(f"{title}:")
        for name, value in values.items():
            output.say(f"  {name:<20}{value}")
    output.say("parameters:")
    for player, sizes in parts.items():
        output.say(f"  {player:<20}{sum(sizes.values()):>12,}")
        for part, size in sizes.items():
            output.say(f"    {part:<18}{size:>12,}")
    output.say("moves of a round:")
    for number, move in enumerate(rehearsal.moves, 1):
        output.say(f"  {number}. {move}")
    output.say(
        f"memory: about {rehearsal.megabytes:,.0f} MB; speed: about {rehearsal.examples_per_second:,.0f} examples a second"
    )
    output.result(facts)
    return 0


def _parts(gan: GAN) -> dict[str, dict[str, int]]:
    """Parameters by player and by the direct parts of its network; those that lie in none of them are its own."""
    table = {}
    for name, player in gan.players.items():
        sizes = {part: sum(p.numel() for p in child.parameters()) for part, child in player.network.named_children()}
        own = sum(p.numel() for p in player.network.parameters(recurse=False))
        table[name] = {part: size for part, size in {**sizes, "itself": own}.items() if size}
    return table
