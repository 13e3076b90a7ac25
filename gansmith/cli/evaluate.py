"""gansmith evaluate: a run, or anybody's samples, against real data."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from gansmith.cli.data_options import Opening, with_data_options
from gansmith.cli.options import Flag, parse, takes
from gansmith.cli.output import Output
from gansmith.data.options import names_in
from gansmith.data.values import Examples, JudgeSeed
from gansmith.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Judges a run by the data it held out (RUN), or any samples against any data (--real A --fake B).

    Every score comes with the score of a trivial baseline, the ceiling that real examples reach, and a 95% interval.
    """

    run: Annotated[Positional[Path | None], takes("[RUN]")] = None
    """A run folder."""
    real: Annotated[str | None, takes("DATA")] = None
    """Real examples: a folder, file or name."""
    fake: Annotated[str | None, takes("DATA")] = None
    """The examples to judge."""
    data: Annotated[str | None, takes("DATA", "what the run held out")] = None
    """Held-out data of your own to judge a run with."""
    metrics: Annotated[str | None, takes("A,B,..", "those that suit the data")] = None
    """Metrics to measure (gansmith list metrics)."""
    features: Annotated[str | None, takes("SPACE", "classifier, trained on the spot")] = None
    """The space of the metrics that leave it open: classifier, inception, dinov2, clip, torchvision:NAME, timm:NAME, FILE.onnx,
    FILE.pt, FILE.pt2 or FILE.py:FUNCTION."""
    inception: Annotated[str | None, takes("FILE", "$GANSMITH_INCEPTION, else fetched once")] = None
    """Weights of Inception-v3, for fid, kid, is, sfid and fid_infinity."""
    resize: Annotated[Literal["clean", "tensorflow", "pytorch"], takes("HOW", "clean")] = "clean"
    """How Inception-v3 gets its images: clean (as clean-fid), tensorflow (as torch-fidelity and the original), pytorch (as
    pytorch-fid)."""
    fast: Flag = False
    """Let Inception-v3 compute in bfloat16: about twice as fast, and the score says how far it is off."""
    segmenter: Annotated[str | None, takes("FILE", "learns on the spot")] = None
    """The network that finds labels in generated images for pixel_accuracy, class_accuracy and mean_iou: FILE.onnx, FILE.pt, FILE.pt2 or
    FILE.py:FUNCTION, from images to logits."""
    device: Annotated[str, takes("DEVICE", "auto")] = "auto"
    """Where networks compute: cpu, cuda, mps."""
    samples: Annotated[Examples | None, takes("N", "10000, or as many as there are")] = None
    """Examples to judge on each side."""
    seed: Annotated[JudgeSeed, takes("S", "0")] = 0
    """Decides which examples, and the noise of generated ones."""
    opening: Annotated[Opening, arg(name="")] = field(default_factory=Opening)
    trust: Flag = False
    """Let programs run that the run names, and FILE.pt and FILE.pt2, which are programs too."""
    overwrite: Flag = False
    """Replace files that exist."""
    json: Annotated[str | None, takes("[PATH]")] = None
    """Print JSON, or write it to a file."""


def run(argv: list[str]) -> int:
    options = parse(
        with_data_options(Evaluate, argv, ("--real", "--data", "--fake")), argv, "gansmith evaluate", bare={"--json": "-"}
    )
    opening = options.opening.opening()
    if options.run is not None and (options.real or options.fake):
        raise UserError(f"Give either the run {options.run}, whose data are known, or --real and --fake, not both.")
    if options.run is not None and options.data is None and opening:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in opening)
        raise UserError(
            f"{flags} says how --data are read, since the data of the run {options.run} are known: give both, or leave it out."
        )
    read = [options.real, options.fake, options.data, options.features, options.inception, options.segmenter]
    output = Output(options.json, overwrite=options.overwrite, given=read)
    from gansmith import api
    from gansmith.runs.folder import BEST
    from gansmith.runs.run import Run

    judgement = api.evaluate(
        options.run,
        real=options.real,
        fake=options.fake,
        data=options.data,
        metrics=names_in(options.metrics, "--metrics") or None,
        samples=options.samples,
        seed=options.seed,
        features=options.features,
        inception=options.inception,
        resize=options.resize,
        fast=options.fast,
        segmenter=options.segmenter,
        device=options.device,
        trust=options.trust,
        progress=_progress(output),
        **opening,
    )
    output.show(judgement.table())
    if options.run is not None and (options.run.name == BEST or (options.run / "run.json").exists()):
        output.say(f"Report: {Run(options.run).folder / 'report.html'}")
    if output.to is not None:  # the nearest neighbours in it take their time
        output.result(judgement.to_json())
    return 0


def _progress(output: Output) -> Callable[[int, int], None]:
    """Says every tenth of a long computation, once it has taken some seconds."""
    began = time.monotonic()
    said = [0, 0]

    def say(done: int, total: int) -> None:
        tenth = 10 * done // total
        if [total, tenth] != said and time.monotonic() - began > 5:
            said[:] = [total, tenth]
            output.say(f"Inception-v3 has seen {done:,} of {total:,} images.")

    return say
