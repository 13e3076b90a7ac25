"""gansmith inspect: what is in some data."""

from dataclasses import dataclass, field
from typing import Annotated

from tyro.conf import Positional, arg

from gansmith.cli.data_options import Opening, with_data_options
from gansmith.cli.options import Flag, parse, takes
from gansmith.cli.output import Output


@dataclass(frozen=True, kw_only=True)
class Inspect:
    """Looks at every example: what is there, what is wrong with it, what gansmith would train on it, and how long that would take here."""

    data: Annotated[Positional[str], takes("DATA")]
    """A folder, zip, npz, npy, csv or Parquet file, a built-in name (gansmith list data), or a hub name user/name."""
    opening: Annotated[Opening, arg(name="")] = field(default_factory=Opening)
    json: Flag = False
    """Print JSON."""


def run(argv: list[str]) -> int:
    options = parse(with_data_options(Inspect, argv), argv, "gansmith inspect")
    from gansmith import api

    inspection = api.inspect(options.data, **options.opening.opening())
    output = Output(options.json)
    for sentence in inspection.sentences():
        output.say(sentence)
    output.result(inspection.to_json())
    return 0
