"""What clients send, as the OpenAPI document says it."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from gansmith.data.values import seeds_in

Value = str | int | float | bool
Where = dict[Annotated[str, Field(max_length=200)], Annotated[Value, Field(union_mode="left_to_right")]]
Seed = Annotated[int, Field(ge=0, le=2**63 - 1)]
Seeds = Annotated[str, Field(pattern=r"^[\d,\s-]+$", max_length=2000, examples=["1-8"])]


class Asked(BaseModel):
    """A request; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class Conditioned(Asked):
    """A request for examples under conditions."""

    where: Where = Field(default_factory=dict, max_length=200)
    """Conditions by name, as --where takes them: {"class": "7"}, {"age": ">60"}."""
    truncation: float = Field(default=1.0, ge=0, le=10, allow_inf_nan=False)

    @property
    def conditions(self) -> dict[str, str]:
        return {key: spelled(value) for key, value in self.where.items()}


class Generate(Conditioned):
    """Examples of a seed, as `gansmith generate` makes them."""

    n: int = Field(default=4, ge=1, le=10**9)
    seed: Seed = 0
    seeds: Seeds | None = None
    """One example for each of these seeds, in place of n and seed."""
    length: int | None = Field(default=None, ge=1, le=10**6)
    format: str = Field(default="png", pattern=r"^[a-z0-9]{1,10}$")
    """A format of the model's card; "preview" for pictures and media, "packed" for the arrays that `gansmith.connect` reads."""
    each: bool = False
    """With "preview": each example on its own."""
    job: bool = False
    """Answer at once with a job."""

    @field_validator("format", mode="before")
    @classmethod
    def without_dot(cls, value: Any) -> Any:
        return value.removeprefix(".") if isinstance(value, str) else value

    def examples(self) -> int:
        """How many are asked for. Raises UserError for seeds that are none."""
        return len(seeds_in(self.seeds, "seeds")) if self.seeds is not None else self.n


class Walk(Conditioned):
    """A film between seeds, as `gansmith edit RUN interpolate` makes it."""

    seeds: Seeds = "1-4"
    frames: int = Field(default=48, ge=2, le=600)
    path: Literal["spherical", "linear"] = "spherical"
    format: Literal["gif", "mp4"] = "gif"
    per_second: int = Field(default=20, ge=1, le=50)
    job: bool = False


class Sheet(Conditioned):
    """A sheet of pictures, as `gansmith edit RUN grid | mix | directions` makes it."""

    seeds: Seeds = "1-8"
    vary: str | None = Field(default=None, max_length=200)
    """grid: the attribute along which to go."""
    rows: Seeds | None = None
    """mix: the seeds of the coarse styles."""
    layers: int | None = Field(default=None, ge=1, le=64)
    """mix: how many layers the rows decide."""
    by: Literal["sefa", "ganspace"] | None = None
    """directions: how they are found."""
    count: int | None = Field(default=None, ge=1, le=64)
    """directions: how many."""
    reach: float | None = Field(default=None, gt=0, le=1000, allow_inf_nan=False)
    """directions: how many deviations to go both ways."""
    job: bool = False


def spelled(value: Value) -> str:
    """A condition's value as --where takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) and value == int(value) else str(value)


NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,99}")
"""Names of models and runs in addresses."""
