"""gansmith speak: sentences in the voice that a model has learned."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional

from gansmith.cli.options import Flag, parse, takes
from gansmith.cli.output import Output
from gansmith.data.outputs import refuse_overwriting, whole
from gansmith.data.suggestions import listed
from gansmith.data.values import Speed
from gansmith.errors import UserError

SPEAKS = ".wav", ".wave", ".flac"


@dataclass(frozen=True, kw_only=True)
class Speak:
    """Says text in the voice of a model that was trained with transcripts; [[ HH AH0 L OW1 ]] gives phonemes."""

    run: Annotated[Positional[Path], takes("RUN")]
    """A run folder, its model/ folder, or a copy of one."""
    text: Annotated[Positional[str], takes("TEXT")]
    """What to say; @FILE says what a text file holds."""
    out: Annotated[Path | None, takes("FILE", "RUN/spoken.wav")] = None
    """The .wav or .flac file."""
    speed: Annotated[Speed, takes("X", "1.0")] = 1.0
    """Above 1: faster, below: slower; from 0.25 to 4."""
    speaker: Annotated[str | None, takes("NAME", "the first")] = None
    """Of models with several voices: which, by name or by number from 1."""
    vocoder: Annotated[Path | None, takes("RUN")] = None
    """A run of advoc, vocos or hifigan that makes the wave, in place of Griffin-Lim's iterations."""
    device: Annotated[str, takes("DEVICE", "auto")] = "auto"
    """cpu, cuda or mps; auto takes the best there is."""
    trust: Flag = False
    """Let Python files run that the run names, as its GAN for example."""
    overwrite: Flag = False
    """Replace a file that exists; RUN/spoken.wav is replaced without it."""
    json: Flag = False
    """Print JSON."""


def run(argv: list[str]) -> int:
    options = parse(Speak, argv, "gansmith speak")
    from gansmith.kinds.audio.readers.files import written
    from gansmith.model import Model
    from gansmith.training.devices import choose_device

    text = text_of(options.text)
    out = options.out or options.run / "spoken.wav"
    if out.suffix.lower() not in SPEAKS:
        raise UserError(f"--out must end in .wav or .flac, but it is {out}.")
    refuse_overwriting([out], [], overwrite=options.overwrite or options.out is None)
    device = choose_device(options.device)
    model = Model.load(options.run, device, trust=options.trust)
    vocoder = Model.load(options.vocoder, device, trust=options.trust) if options.vocoder else None
    sound = model.speak(text, speed=options.speed, vocoder=vocoder, speaker=options.speaker)
    out.parent.mkdir(parents=True, exist_ok=True)
    with whole(out) as part:
        written(sound, part)
    output = Output(options.json)
    if sound.replaced:
        output.say(f"The voice never said {listed(sorted(set(sound.replaced)), 10)}: similar phonemes stand for them.")
    output.say(f"{sound.seconds:.1f} s: {out}")
    output.result({"out": out, "seconds": round(sound.seconds, 3), "rate": sound.rate, "replaced": list(sound.replaced)})
    return 0


def text_of(given: str) -> str:
    """The text, or that of the file behind @. Raises UserError for a file that cannot be read."""
    if not given.startswith("@"):
        return given
    from gansmith.data.readers.files import Unreadable, read_whole

    path = Path(given[1:])
    try:
        return read_whole(path, "label_bytes").decode("utf-8-sig", errors="replace")
    except (OSError, Unreadable) as error:
        raise UserError(f"{path} cannot be read ({error}): give a text file, or the text itself.") from error
