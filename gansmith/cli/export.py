"""gansmith export: a model for other programs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional

from gansmith.cli.options import Flag, parse, takes
from gansmith.cli.output import Output


@dataclass(frozen=True, kw_only=True)
class Export:
    """Writes a model in another format, and holds what was written against the model."""

    run: Annotated[Positional[Path], takes("RUN")]
    """A run folder, its model/ folder, or a copy of one."""
    to: Annotated[Literal["onnx", "onnx_float16", "torch", "safetensors", "weights", "web"], takes("FORMAT")]
    """onnx or onnx_float16 with a dynamic batch, torch (a program of torch.export, .pt2), safetensors (weights and facts as gansmith
    loads them), weights (bare, of super-resolution, as spandrel and chaiNNer read them), or web (a page that generates in the browser)."""
    out: Annotated[Path | None, takes("PATH", "RUN/export/")] = None
    """A file with the format's suffix, or a folder to put it in."""
    trust: Flag = False
    """Let Python files run that the run names, as its GAN for example."""
    overwrite: Flag = False
    """Replace files that exist."""
    json: Flag = False
    """Print JSON."""


def run(argv: list[str]) -> int:
    options = parse(Export, argv, "gansmith export")
    from gansmith.export import export
    from gansmith.model import Model

    output = Output(options.json)
    said: list[str] = []
    overwrite = options.overwrite or options.out is None  # the run's own folder
    model = Model.load(options.run, trust=options.trust)
    path = export(model, options.to, options.out or options.run / "export", said.append, overwrite)
    for sentence in said:
        output.say(sentence)
    output.result({"path": path, "format": options.to, "checks": said})
    return 0
