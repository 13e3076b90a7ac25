"""Sections of the report that only series have."""

from gansmith.report.pictures import single
from gansmith.report.records import Records
from gansmith.report.section import Section


def facts(records: Records) -> Section:
    """The curves of stylised facts, of time series alone."""
    lead = (
        "Of the moves from step to step: their autocorrelation, that of their sizes (volatility clustering), their correlation with later "
        "squared moves (leverage), each at lags up to 20; and how large the moves are, from the median to 1 in 1,000."
    )
    alt = "Four small plots of real and generated curves"
    return (
        "Stylised facts",
        single(records, ("facts.png",), alt, "Blue: real; orange: generated."),
        lead,
    )
