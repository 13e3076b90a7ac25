"""gansmith push: a run's model on the hub."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional

from gansmith.cli.options import Flag, parse, takes
from gansmith.cli.output import Output
from gansmith.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Push:
    """Uploads a model to the Hugging Face hub with a card: pictures, scores beside baseline and ceiling, what it holds of the data, code.

    Data, checkpoints and logs stay here. Log in once with hf auth login.
    """

    run: Annotated[Positional[Path], takes("RUN")]
    """A run folder, or RUN/best for its best model."""
    name: Annotated[Positional[str], takes("USER/NAME")]
    """Its name on the hub."""
    out: Annotated[Path | None, takes("DIR")] = None
    """Write what would be uploaded into this folder instead."""
    license: Annotated[str | None, takes("NAME")] = None
    """The licence of the model, as the hub spells it: mit, apache-2.0, cc-by-4.0, ..."""
    private: Flag = False
    """Show the page to you alone."""
    json: Flag = False
    """Print JSON."""


def run(argv: list[str]) -> int:
    options = parse(Push, argv, "gansmith push")
    from gansmith.runs.hub import check_name, gather, push
    from gansmith.runs.run import Run

    check_name(options.name)
    output, source = Output(options.json), Run(options.run)
    if options.license is not None and not options.license.replace("-", "").replace(".", "").isalnum():
        raise UserError(f"--license takes one word such as mit or cc-by-4.0, but {options.license!r:.80} came: change it.")
    if options.out is not None:
        files = gather(source, options.out, options.name, options.license)
        output.say(f"{options.out}: {', '.join(str(path.relative_to(options.out)) for path in files)}")
        output.result({"folder": options.out, "files": files})
        return 0
    address = push(source, options.name, private=options.private, licence=options.license)
    output.say(f"Uploaded: {address}")
    output.result({"address": address})
    return 0
