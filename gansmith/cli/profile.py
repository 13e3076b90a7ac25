"""gansmith train --profile: where the time of a step goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gansmith.cli.output import Output
from gansmith.errors import UserError

if TYPE_CHECKING:
    from rich.table import Table

    from gansmith.cli.train import Train
    from gansmith.planning.profile import Profile


def show_profile(options: Train, argv: Sequence[str]) -> int:
    """Prints the profile of the training that the options describe; leaves no run folder behind."""
    if options.data is None:
        raise UserError("A profile needs data, e.g. gansmith train digits --profile.")
    from gansmith import kinds
    from gansmith.api import opening_for
    from gansmith.kinds.opening import open_dataset
    from gansmith.planning import plan as planning
    from gansmith.planning.profile import profile

    data = open_dataset(options.data, **opening_for(options.data, options.gan, options.opening.opening()))
    plan = planning.plan(data, **options.arguments(argv))
    data = kinds.find(data.codec.spec.kind).mirrored(data) if plan.mirror else data
    plan = planning.settle_threads(plan, data)
    found = profile(plan, data)
    output = Output(options.json)
    threads = f", {found.threads} thread{'s' * (found.threads > 1)}" if found.device == "cpu" else ""
    output.say(f"{plan.gan} (preset {plan.preset}) on {found.device}, {found.precision}{threads}, batch {plan.settings.batch}")
    output.show(_table(found))
    output.say(
        f"{found.examples_per_second:,.0f} examples a second, {found.milliseconds:,.2f} ms a round; "
        f"{found.flops_per_example / 1e6:,.1f} million operations an example."
    )
    output.say(
        f"{found.flops_per_second / 1e9:,.1f} billion operations a second: {found.fraction_of_peak:.0%} of this machine's "
        f"{found.peak_flops_per_second / 1e9:,.0f} (measured now)."
    )
    output.result({"gan": plan.gan, "preset": plan.preset, "batch": plan.settings.batch, **found.to_json()})
    return 0


def _table(found: Profile) -> Table:
    from rich.table import Table

    table = Table("who", "what")
    table.add_column("ms a round", justify="right")
    table.add_column("share", justify="right")
    last = ""
    for part in found.parts:
        if last and part.who != last:
            table.add_section()
        who, last = ("" if part.who == last else part.who), part.who
        table.add_row(who, part.what, f"{part.milliseconds:.3f}", f"{part.share:.1%}")
    return table
