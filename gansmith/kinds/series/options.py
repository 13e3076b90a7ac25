"""How time series are read, cut and scaled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gansmith.data.options import DataOptions, option
from gansmith.data.values import AtLeastTwo, Count
from gansmith.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Options(DataOptions):
    """Time series."""

    window: AtLeastTwo | None = option(None, "T", "24 of long series, 128 of returns")
    """Steps of an example: long time series are cut into such windows."""
    stride: Count = option(1, "S")
    """Steps from window to window."""
    returns: bool = option(False)
    """Series of prices: learn their log returns, and make prices of them again."""
    scale: Literal["feature", "example"] = option("feature")
    """Scale series by the range of each column, or each series by its own, which is learned too."""
    entity: str | None = option(None, "COLUMN", "series or id, if there")
    """The column that tells several series in one file apart."""
    time: str | None = option(None, "COLUMN", "the first that reads as dates")
    """The column of dates or times."""
    static: tuple[str, ...] = option((), "A,B,..")
    """Columns that are fixed for a series: its attributes."""
    columns: tuple[str, ...] = option((), "A,B,..", "all that are left")
    """Columns of a series to learn."""
    fill: Literal["linear", "previous"] | None = option(None, shown="refuse them")
    """How missing values of a series, and steps that its times leave out, are filled in."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.returns and self.scale == "example":
            raise UserError("--returns have a scale of their own: leave --scale out.")
