"""What clients send, as the OpenAPI document says it."""

from __future__ import annotations

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


class Rows(Conditioned):
    """Rows of a table, or windows of series, as JSON."""

    n: int = Field(default=50, ge=1, le=10**9)
    seed: Seed = 0
    length: int | None = Field(default=None, ge=1, le=10**6)


class Speak(Asked):
    """Speech, as `gansmith speak RUN TEXT` makes it."""

    text: str = Field(min_length=1, max_length=2000, pattern=r"\S")
    speed: float = Field(default=1.0, ge=0.25, le=4, allow_inf_nan=False)
    vocoder: Annotated[str, Field(max_length=100)] | None = None
    """Another model of this server that makes the wave."""
    format: Literal["wav", "flac"] = "wav"
    job: bool = False


class Steer(Asked):
    """A picture along directions, as `gansmith edit RUN directions --amounts ...` makes it."""

    seed: Seed = 1
    amounts: list[Annotated[float, Field(ge=-100, le=100, allow_inf_nan=False)]] = Field(min_length=1, max_length=16)
    """Steps along the strongest directions, the strongest first; a step is a standard deviation."""
    by: Literal["sefa", "ganspace"] = "sefa"
    where: Where = Field(default_factory=dict, max_length=200)
    job: bool = False

    @property
    def conditions(self) -> dict[str, str]:
        return {key: spelled(value) for key, value in self.where.items()}


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


KindName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]


class Inspect(Asked):
    """How data are to be read."""

    kind: KindName | None = None


class Train(Asked):
    """A training, as `gansmith train` begins it."""

    data: str = Field(max_length=120)
    """Built-in data, or what was uploaded."""
    kind: KindName | None = None
    """What kind of data they are, where the files do not say."""
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.-]{0,80}$")] | None = None
    """The run's name; DATA-0001 and so on without."""
    gan: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")] | None = None
    preset: Annotated[str, Field(pattern=r"^[a-z][\w-]{0,40}$")] | None = None
    minutes: float | None = Field(default=None, gt=0, le=10_000, allow_inf_nan=False)
    samples: int | None = Field(default=None, ge=1, le=2**53)
    seed: Seed = 0
    resolution: int | None = Field(default=None, ge=4, le=4096)
    evaluate: bool = True
    options: dict[
        Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,60}$")], Annotated[Value, Field(union_mode="left_to_right")]
    ] = Field(default_factory=dict, max_length=100)
    """Options of the GAN."""

    def words(self) -> list[str]:
        """The options of the command line."""
        words = []
        for name in ("kind", "gan", "preset", "minutes", "samples", "resolution"):
            value = getattr(self, name)
            words += [f"--{name}={value:g}" if isinstance(value, float) else f"--{name}={value}"] if value is not None else []
        words += [f"--seed={self.seed}"] if self.seed else []
        words += [] if self.evaluate else ["--no-evaluate"]
        for name, value in self.options.items():
            flag = name.replace("_", "-")
            words += [f"--gan.{'' if value else 'no-'}{flag}"] if isinstance(value, bool) else [f"--gan.{flag}={value}"]
        return words


class Resume(Asked):
    """How long a run goes on."""

    minutes: float | None = Field(default=None, gt=0, le=10_000, allow_inf_nan=False)


class Play(Asked):
    """A live game."""

    gan: str = Field(default="gan", pattern=r"^[a-z][a-z0-9_]{0,40}$")
    data: Literal["ring", "grid", "digits8"] = "ring"
    seed: Seed = 0
    options: dict[
        Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,60}$")], Annotated[Value, Field(union_mode="left_to_right")]
    ] = Field(default_factory=dict, max_length=100)


class Turn(Asked):
    """Rounds of a live game, and its dials."""

    rounds: int = Field(default=10, ge=0, le=500)
    seconds: float = Field(default=0.5, gt=0, le=5, allow_inf_nan=False)
    """Rounds end after so much time, too."""
    rates: dict[Annotated[str, Field(max_length=40)], Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]] = Field(
        default_factory=dict, max_length=8
    )
    """Factors on the learning rates of players by name."""
    weights: dict[Annotated[str, Field(max_length=80)], Annotated[float, Field(ge=-100, le=100, allow_inf_nan=False)]] = Field(
        default_factory=dict, max_length=16
    )
    """Factors on terms of the loss by name: {"critic/r1": 0}."""
    options: dict[
        Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,60}$")], Annotated[Value, Field(union_mode="left_to_right")]
    ] = Field(default_factory=dict, max_length=100)
    """Options of the GAN to change while it plays."""
    landscape: int = Field(default=32, ge=0, le=64)
    """Points along each side of the critic's landscape."""
