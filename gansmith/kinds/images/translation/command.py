"""gansmith translate: images, folders and videos through a model that makes images of images."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from gansmith.cli.options import Flag, parse, takes
from gansmith.cli.output import Output
from gansmith.data.outputs import refuse_overwriting
from gansmith.data.spreadsheets import spreadsheet_safe
from gansmith.data.suggestions import listed
from gansmith.data.values import Looks, Overlap, Seed, Tile
from gansmith.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Translate:
    """Translates or enhances pictures of any size."""

    run: Annotated[Positional[Path], takes("RUN")]
    """A run folder, its model/ folder, or a copy of one; left out with --weights."""
    input: Annotated[Positional[Path | None], takes("INPUT")] = None
    """A picture, a video, or a folder of them."""
    weights: Annotated[Path | None, takes("FILE")] = None
    """Weights of other programs in place of a run: ESRGAN, Real-ESRGAN, SwinIR and what else spandrel reads (extra [foreign])."""
    partner: Annotated[Path | None, takes("PATH")] = None
    """The second picture of a fusion, or a folder of them by the same names."""
    masks: Annotated[Path | None, takes("PATH")] = None
    """A mask, or a folder of them by the same names: fill in what is white in it, in place of what is transparent."""
    out: Annotated[Path | None, takes("DIR", "RUN/translated/")] = None
    """The folder for the results: PNG files, animations and videos as they came."""
    makes: Annotated[str, takes("b|a|DOMAIN", "b")] = "b"
    """The side to make: b of a, or with a cycle a of b; or the domain."""
    samples: Annotated[Looks, takes("N", "1"), arg(aliases=["-n"])] = 1
    """Make so many images of each, in random styles that are the same for all (bicyclegan, munit, starganv2)."""
    reference: Annotated[Path | None, takes("PICTURE")] = None
    """Take the style of this picture, or of every picture of a folder, in place of random ones."""
    seed: Annotated[Seed, takes("S", "0")] = 0
    """Decides the random styles."""
    tile: Annotated[Tile | None, takes("PIXELS", "whole pictures")] = None
    """Work in tiles of this side, to spare memory; done by itself where memory runs out."""
    overlap: Annotated[Overlap, takes("PIXELS", "32")] = 32
    """How far tiles overlap."""
    page: Flag = False
    """Write index.html with inputs, outputs and targets."""
    targets: Annotated[Path | None, takes("DIR")] = None
    """A folder of true results by the same names, to be shown on the page and compared in full size."""
    device: Annotated[str, takes("DEVICE", "auto")] = "auto"
    """cpu, cuda or mps; auto takes the best there is."""
    spreadsheet_safe: Flag = False
    """Write measures.csv with an apostrophe before names that a spreadsheet would take for formulas."""
    trust: Flag = False
    """Let Python files run that the run names, as its GAN for example."""
    overwrite: Flag = False
    """Replace files that exist; those of RUN/translated/ are replaced without it."""
    json: Flag = False
    """Print JSON."""


def run(argv: list[str]) -> int:
    options = parse(Translate, argv, "gansmith translate")
    if options.samples > 1 and options.reference:
        raise UserError("--samples asks for random styles and --reference for given ones: leave one out.")
    from gansmith.kinds.images.translation.files import (
        inputs_in,
        masks_of,
        outputs_for,
        partners_of,
        styles_for,
        suffixes_for,
        targets_of,
        translate_file,
    )
    from gansmith.kinds.images.translation.formats import KINDS
    from gansmith.kinds.images.translation.measures import Translated, measure
    from gansmith.kinds.images.translation.page import write_page
    from gansmith.kinds.images.translation.pictures import check_translates
    from gansmith.model import Model
    from gansmith.training.devices import choose_device

    source, given_at = _source(options)
    device = choose_device(options.device)
    if options.weights:
        from gansmith.kinds.images.translation.foreign import foreign

        model = foreign(source, device)
    else:
        model = Model.load(source, device, trust=options.trust)
    check_translates(model, options.makes)
    if options.out is not None and options.out.suffix.lower() in KINDS and not options.out.is_dir():
        raise UserError(
            f"--out takes a folder, where results have the names of their inputs, but {options.out} is the name of a file: give "
            f"{options.out.parent}."
        )
    out = options.out or (source.parent if options.weights else source) / "translated"
    inputs = inputs_in(given_at, out)
    references = inputs_in(options.reference) if options.reference else []
    styles = styles_for(model, options.makes, options.samples, references, options.seed)
    partners = partners_of(inputs, given_at, options.partner)
    masks = masks_of(inputs, given_at, options.masks)
    targets = targets_of(inputs, given_at, options.targets)
    suffixes = suffixes_for(model, options.makes, inputs)
    placed_in = [outputs_for(inputs, given_at, out, name, suffixes) for name, _ in styles]
    page = out / "index.html" if options.page or options.targets else None
    table = out / "measures.csv" if options.targets else None
    own = options.out is None and not options.weights
    refuse_overwriting(
        [*chain(*placed_in), *filter(None, (page, table))],
        [*inputs, *partners, *masks, *targets, *references],
        overwrite=options.overwrite or own,
    )
    done: list[Translated] = []
    failed: dict[Path, str] = {}
    notes: dict[Path, list[str]] = {}
    for placed, (_, style) in zip(placed_in, styles, strict=True):
        for given, made, partner, mask, target in zip(inputs, placed, partners, masks, targets, strict=True):
            if given in failed:
                continue
            try:
                said = translate_file(
                    model,
                    given,
                    made,
                    partner,
                    mask,
                    makes=options.makes,
                    tile=options.tile,
                    overlap=options.overlap,
                    style=style,
                )
            except UserError as error:
                if len(inputs) == 1:
                    raise
                failed[given] = str(error)
                continue
            done.append(Translated(given, made, target))
            if said:
                notes[given] = said
    if not done:
        raise UserError(f"none of {len(inputs)} files could be translated, the first one because {next(iter(failed.values()))}")
    output = Output(options.json)
    output.say(f"{len(done):,} translated: {out}")
    for note in dict.fromkeys(chain(*notes.values())):
        names = [path.name for path, said in notes.items() if note in said]
        output.say(f"{listed(names, 3)}: {note}.")
    if page:
        write_page(page, done, f"{given_at.name} by {source.name}")
        output.say(f"Page: {page}")
    with spreadsheet_safe(options.spreadsheet_safe):
        measured = measure(done, table) if table else None
    if measured and measured.count:
        output.show(measured.table())
        output.say(f"Each: {measured.path}")
    if measured and measured.not_compared:
        output.say(f"{len(measured.not_compared)} not compared: {listed(measured.not_compared, 2)}.")
    output.result(
        {
            "inputs": inputs,
            "outputs": [each.made for each in done],
            "out": out,
            "page": page,
            "notes": {str(path): said for path, said in notes.items()},
            "failed": {str(path): reason for path, reason in failed.items()},
            "measures": measured.means if measured else None,
        }
    )
    if failed:
        reasons = [reason.rstrip(".") for reason in failed.values()]
        raise UserError(f"{len(failed)} of {len(inputs)} could not be translated: {listed(reasons, 3)}.")
    return 0


def _source(options: Translate) -> tuple[Path, Path]:
    """(the run or the weights, the input): with weights, the one place that is given is the input."""
    if options.weights and options.input is None:
        return options.weights, options.run
    if options.weights or options.input is None:
        came = f"came --weights, {options.run} and {options.input}" if options.weights else f"came {options.run} alone"
        raise UserError(f"translating takes a run and an input, or --weights and an input, but there {came}: give two.")
    return options.run, options.input
