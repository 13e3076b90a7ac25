"""gansmith translate: recordings, folders of them and mel spectra through a model that makes waves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional

from gansmith.cli.options import Flag, parse, takes
from gansmith.cli.output import Output
from gansmith.data.outputs import refuse_overwriting, whole
from gansmith.data.suggestions import listed
from gansmith.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Translate:
    """Restores recordings of any length, or makes waves of mel spectra; the model knows all else that matters."""

    run: Annotated[Positional[Path], takes("RUN")]
    """A run folder, its model/ folder, or a copy of one."""
    input: Annotated[Positional[Path], takes("INPUT")]
    """A sound file, a folder of them, or mel spectra [bands, frames] (.npy) for a vocoder."""
    out: Annotated[Path | None, takes("PATH", "RUN/translated/")] = None
    """The folder for the results, .wav files by the names of the inputs; or one .wav or .flac file for a single input."""
    device: Annotated[str, takes("DEVICE", "auto")] = "auto"
    """cpu, cuda or mps; auto takes the best there is."""
    trust: Flag = False
    """Let Python files run that the run names, as its GAN for example."""
    overwrite: Flag = False
    """Replace files that exist; those of RUN/translated/ are replaced without it."""
    json: Flag = False
    """Print JSON."""


def run(argv: list[str]) -> int:
    options = parse(Translate, argv, "gansmith translate")
    from gansmith.kinds.audio.readers.files import WAV, written
    from gansmith.kinds.audio.translation.waves import check_translates, opened, translate_sound
    from gansmith.model import Model
    from gansmith.planning.plan import choose_device

    out = options.out or options.run / "translated"
    inputs = inputs_in(options.input)
    single = out.suffix.lower() in (*WAV, ".flac")
    if single and len(inputs) > 1:
        raise UserError(f"--out {out} is one file, but {options.input} holds {len(inputs)} recordings: give a folder.")
    places = [out] if single else [out / _place(path, options.input) for path in inputs]
    refuse_overwriting(places, inputs, overwrite=options.overwrite or options.out is None)
    model = Model.load(options.run, choose_device(options.device), trust=options.trust)
    spec = check_translates(model)
    done, failed = [], {}
    for path, place in zip(inputs, places, strict=True):
        try:
            made = translate_sound(model, opened(path, spec))
        except UserError as error:
            if len(inputs) == 1:
                raise
            failed[path] = str(error)
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        with whole(place) as part:
            written(made, part)
        done.append(place)
    output = Output(options.json)
    output.say(f"{len(done):,} translated: {out}")
    reasons = {str(path): reason for path, reason in failed.items()}
    output.result({"inputs": inputs, "outputs": done, "out": out, "rate": spec.rate, "failed": reasons})
    if failed:
        said = listed([reason.rstrip(".") for reason in failed.values()], 3)
        raise UserError(f"{len(failed)} of {len(inputs)} could not be translated: {said}.")
    return 0


def inputs_in(path: Path) -> list[Path]:
    """The file, or the sound files (else the arrays) below a folder. Raises UserError where there are none."""
    from gansmith.data.readers.files import files_below
    from gansmith.kinds.audio.readers.files import FOREIGN, SUFFIXES

    if path.is_file():
        return [path]
    if not path.is_dir():
        raise UserError(f"there is no file or folder {path}: give a recording, or a folder of them.")
    for suffixes in ((*SUFFIXES, *FOREIGN), (".npy",)):
        below = files_below(path, lambda name: name.lower().endswith((*SUFFIXES, *FOREIGN, ".npy")))
        found = [own for own in below if own.suffix.lower() in suffixes]
        if found:
            return sorted(found)
    raise UserError(f"there are no recordings in {path}: give a folder with {listed(SUFFIXES[:6], 6)} files.")


def _place(path: Path, root: Path) -> Path:
    """The name of the result of an input, below the folder for results."""
    return (path.relative_to(root) if root.is_dir() else Path(path.name)).with_suffix(".wav")
