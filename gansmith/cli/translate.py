"""gansmith translate: images, folders and videos through a model that makes images of images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from gansmith.cli.options import Flag, parse, takes
from gansmith.cli.output import Output
from gansmith.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Translate:
    """Translates or enhances pictures of any size; the model knows all else that matters."""

    run: Annotated[Positional[Path], takes("RUN")]
    """A run folder, its model/ folder, or a copy of one."""
    input: Annotated[Positional[Path], takes("INPUT")]
    """A picture, a video, or a folder of them."""
    out: Annotated[Path | None, takes("DIR", "RUN/translated/")] = None
    """The folder for the results: PNG files, animations and videos as they came."""
    makes: Annotated[str, takes("b|a|DOMAIN", "b")] = "b"
    """The side to make: b of a, or with a cycle a of b; or the domain."""
    samples: Annotated[int, takes("N", "1"), arg(aliases=["-n"])] = 1
    """Make so many images of each, in random styles that are the same for all (bicyclegan, munit, starganv2)."""
    reference: Annotated[Path | None, takes("PICTURE")] = None
    """Take the style of this picture, or of every picture of a folder, in place of random ones."""
    seed: Annotated[int, takes("S", "0")] = 0
    """Decides the random styles."""
    tile: Annotated[int | None, takes("PIXELS", "whole pictures")] = None
    """Work in tiles of this side, to spare memory; done by itself where memory runs out."""
    overlap: Annotated[int, takes("PIXELS", "32")] = 32
    """How far tiles overlap."""
    page: Flag = False
    """Write index.html with inputs, outputs and targets."""
    targets: Annotated[Path | None, takes("DIR")] = None
    """A folder of true results by the same names, to be shown on the page."""
    device: Annotated[str, takes("DEVICE", "auto")] = "auto"
    """cpu, cuda or mps; auto takes the best there is."""
    json: Flag = False
    """Print JSON."""


def run(argv: list[str]) -> int:
    options = parse(Translate, argv, "gansmith translate")
    if options.tile is not None and options.tile < 16:
        raise UserError(f"--tile must be at least 16 pixels, but it is {options.tile}.")
    if options.overlap < 0:
        raise UserError(f"--overlap must be 0 or more, but it is {options.overlap}.")
    if options.samples < 1:
        raise UserError(f"--samples must be at least 1, but it is {options.samples}.")
    if options.samples > 1 and options.reference:
        raise UserError("--samples asks for random styles and --reference for given ones: leave one out.")
    from gansmith.model import Model
    from gansmith.planning import choose_device
    from gansmith.translation.files import inputs_in, outputs_for, styles_for, suffix_for, translate_file
    from gansmith.translation.page import write_page
    from gansmith.translation.pictures import check_translates

    model = Model.load(options.run, choose_device(options.device))
    check_translates(model, options.makes)
    out = options.out or options.run / "translated"
    inputs = inputs_in(options.input)
    styles = styles_for(model, options.makes, options.samples, options.reference, options.seed)
    outputs: list[Path] = []
    suffix = suffix_for(model, options.makes)
    for name, style in styles:
        placed = outputs_for(inputs, options.input, out, name, suffix)
        for given, made in zip(inputs, placed, strict=True):
            translate_file(model, given, made, makes=options.makes, tile=options.tile, overlap=options.overlap, style=style)
        outputs += placed
    output = Output(options.json)
    output.say(f"{len(outputs):,} translated: {out}")
    page = out / "index.html" if options.page or options.targets else None
    if page:
        write_page(page, inputs * len(styles), outputs, options.targets, f"{options.input.name} by {options.run.name}")
        output.say(f"Page: {page}")
    output.result({"inputs": inputs, "outputs": outputs, "out": out, "page": page})
    return 0
