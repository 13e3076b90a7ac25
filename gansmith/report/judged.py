"""The sections that tell what the judge saw, beyond the scores: spreads, the best and the worst, neighbours, a map."""

from collections.abc import Mapping
from typing import Any

from gansmith.report.class_shares import class_figure
from gansmith.report.landscape import landscape
from gansmith.report.markup import join, tag
from gansmith.report.numbers import count, finite, significant
from gansmith.report.pictures import single
from gansmith.report.records import Records
from gansmith.report.section import Section
from gansmith.report.sides import legend, numbers
from gansmith.report.spreads import spread_figure

EXPECTED = 0.01
"""Share of new examples that lie as near to a training example as the nearest hundredth of the held-out ones."""


def spreads(records: Records) -> Section:
    found = overview(records)
    components = found.get("components")
    drawn = [spread_figure(found.get("distances"))]
    drawn += [spread_figure(each) for each in components] if isinstance(components, list) else []
    drawn.append(class_figure(found.get("classes")))
    shown = [figure for figure in drawn if figure is not None]
    lead = (
        f"Real and generated examples in the judge's features{_space(found)}. Where the outlines agree, so do the distributions. "
        "Copies of training examples are a heap at distance zero. A generated example counts as the class of the real one "
        "nearest to it."
    )
    sides = legend(["training", "held-out", "generated"], "M2 6h22", "stroke")
    return "Distributions", join(sides, tag("div", *shown, class_="charts")) if shown else None, lead


def ends(records: Records) -> Section:
    """The pictures of the best and the worst examples."""
    ranking = part(overview(records), "ranking")
    figures = [
        single(
            records, (f"{end}.png",), f"The {words} generated examples", f"The {words}, the {order} first{_around(ranking, end)}."
        )
        for end, words, order in (("best", "most realistic", "best"), ("worst", "least realistic", "worst"))
    ]
    lead = (
        "Ranked by the number of real examples that have it near, which is nearer than their own fifth nearest real one, and then "
        f"by the distance to the nearest training example{_space(overview(records))}. A copy would rank best: see the neighbours "
        "below."
    )
    shown = tag("div", *figures, class_="pair") if any(figures) else None
    return "The best and the worst", shown, lead


def neighbours(records: Records) -> Section:
    """The picture of the generated examples nearest to training examples, with what their distances say."""
    found = part(records.judgement, "neighbours")
    distances = found.get("distances")
    nearest = [each[0] for row in distances if (each := numbers(row))] if isinstance(distances, list) else []
    made, held_out = finite(found.get("generated_median")), finite(found.get("held_out_median"))
    lead = "Generated examples beside the training examples nearest to them: a copy would show here."
    caption = "In groups of four: a generated example (framed), then its three nearest training examples."
    if nearest and made is not None and held_out is not None:
        lead = (
            f"The {len(nearest)} generated examples nearest to a training example, as distances in its class go, the most suspicious "
            f"first: a copy would show here. They are {significant(min(nearest))} to {significant(max(nearest))} away from it; the "
            f"median is {significant(made)} over all generated examples and {significant(held_out)} over held-out ones. {_verdict(records)}"
        )
    alt = "Generated examples, each beside the training examples nearest to it"
    return "Nearest real neighbours", single(records, ("neighbours.png",), alt, caption), lead.strip()


def where(records: Records) -> Section:
    found = overview(records)
    space = found.get("space")
    lead = "Where real examples lie alone, something is missing; where generated ones do, something is made up."
    return "A map", landscape(found.get("map"), str(space) if space else ""), lead


def _verdict(records: Records) -> str:
    nearer = finite(overview(records).get("nearer"))
    if nearer is None:
        return ""
    share = f"{nearer:.1%}" if nearer else "None"
    words = f"{share} of the generated ones are nearer than 99% of the held-out ones are; 1% would be expected of new ones"
    return f"{words}: look for copies." if nearer > 3 * EXPECTED else f"{words}."


def _around(ranking: Mapping[str, Any], end: str) -> str:
    balls = numbers(ranking.get(f"{end}_balls"))
    if not balls:
        return ""
    low, high = count(min(balls)), count(max(balls))
    if low == high:
        return ": near no real example" if low == "0" else f": each near {low} real examples"
    return f": each near {low} to {high} real examples"


def _space(found: Mapping[str, Any]) -> str:
    return f" ({found['space']})" if found.get("space") else ""


def overview(records: Records) -> Mapping[str, Any]:
    return part(records.judgement, "portrait")


def part(facts: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = facts.get(name)
    return part if isinstance(part, Mapping) else {}
