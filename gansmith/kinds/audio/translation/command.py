"""gansmith translate: recordings, folders of them, mel spectra and codes through a model that makes waves, or codes of waves."""

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
    """Restores recordings of any length, makes waves of mel spectra, one voice of another, or codes and sounds of codes."""

    run: Annotated[Positional[Path], takes("RUN")]
    """A run folder, its model/ folder, or a copy of one."""
    input: Annotated[Positional[Path], takes("INPUT")]
    """A sound file, a folder of them, mel spectra [bands, frames] (.npy) for a vocoder, or codes (.npz) for a codec."""
    out: Annotated[Path | None, takes("PATH", "RUN/translated/")] = None
    """The folder for the results, .wav files by the names of the inputs; one .wav or .flac file for a single input, or .npz for codes."""
    makes: Annotated[str | None, takes("VOICE")] = None
    """Of models that convert voices: the voice to make."""
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
    from gansmith.kinds.audio.sound import Sound
    from gansmith.kinds.audio.translation.codes import SUFFIX, coded, coding, read_codes, sounding, write_codes
    from gansmith.kinds.audio.translation.streaming import check_translates
    from gansmith.kinds.audio.translation.waves import opened, translate_sound, voice_of
    from gansmith.model import Model
    from gansmith.planning.plan import choose_device

    out = options.out or options.run / "translated"
    inputs = inputs_in(options.input)
    single, as_codes = out.suffix.lower() in (*WAV, ".flac", SUFFIX), out.suffix.lower() == SUFFIX
    if single and len(inputs) > 1:
        raise UserError(f"--out {out} is one file, but {options.input} holds {len(inputs)} recordings: give a folder.")
    places = [out] if single else [out / _place(path, options.input) for path in inputs]
    refuse_overwriting(places, inputs, overwrite=options.overwrite or options.out is None)
    model = Model.load(options.run, choose_device(options.device), trust=options.trust)
    spec, voice = check_translates(model), voice_of(model, options.makes)
    gan = coding(model) if as_codes or any(path.suffix.lower() == SUFFIX for path in inputs) else None
    done, failed = [], {}
    for path, place in zip(inputs, places, strict=True):
        try:
            if path.suffix.lower() == SUFFIX:
                made = sounding(model, read_codes(model, path))
            else:
                given = opened(path, spec)
                made = coded(model, given) if as_codes else translate_sound(model, given, voice)
        except UserError as error:
            if len(inputs) == 1:
                raise
            failed[path] = str(error)
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        with whole(place) as part:
            if isinstance(made, Sound):
                written(made, part)
            else:
                write_codes(model, made, part)
        done.append(place)
    output = Output(options.json)
    if gan is not None:
        books, codes = gan.books
        each = f"{books} codebooks of {codes}, {spec.rate / spec.hop:g} times a second"
        output.say(f"{gan.bits_per_second / 1000:.3g} kbit/s ({each})")
    output.say(f"{len(done):,} translated: {out}")
    reasons = {str(path): reason for path, reason in failed.items()}
    bits = {} if gan is None else {"bits_per_second": round(gan.bits_per_second)}
    output.result({"inputs": inputs, "outputs": done, "out": out, "rate": spec.rate, **bits, "failed": reasons})
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
