"""gansmith translate for music: accompanies the tracks of a MIDI file, and goes on behind its end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from gansmith.cli.options import Flag, parse, takes
from gansmith.cli.output import Output
from gansmith.data.outputs import refuse_overwriting, whole
from gansmith.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Translate:
    """Makes the other tracks to those of a MIDI file, bar by bar, and more bars behind its end."""

    run: Annotated[Positional[Path], takes("RUN")]
    """A run folder, its model/ folder, or a copy of one."""
    input: Annotated[Positional[Path], takes("FILE.mid")]
    """The music that is given."""
    out: Annotated[Path | None, takes("FILE", "RUN/translated/NAME.mid")] = None
    """The result, .mid or .wav."""
    keep: Annotated[str | None, takes("A,B", "those of the file")] = None
    """The tracks of the model that the file gives; they stay note by note on the grid."""
    bars: Annotated[int | None, takes("N", "those of the file")] = None
    """Bars of the result: beyond the end of the file, all tracks are made."""
    rewrite: Annotated[str | None, takes("BARS", "nothing")] = None
    """Make these bars of the file anew and keep the rest: 5-6, or only some tracks there: tenor:5-6,bass:8."""
    samples: Annotated[int, takes("N", "1"), arg(aliases=["-n"])] = 1
    """Results, numbered if they are several."""
    seed: Annotated[int, takes("S", "0")] = 0
    """Decides what is made."""
    device: Annotated[str, takes("DEVICE", "auto")] = "auto"
    """cpu, cuda or mps; auto takes the best there is."""
    trust: Flag = False
    """Let Python files run that the run names, as its GAN for example."""
    overwrite: Flag = False
    """Replace files that exist."""
    json: Flag = False
    """Print JSON."""


def run(argv: list[str]) -> int:
    options = parse(Translate, argv, "gansmith translate")
    if options.samples < 1:
        raise UserError(f"--samples must be at least 1, but it is {options.samples}.")
    out = options.out or options.run / "translated" / f"{options.input.stem}.mid"
    if out.suffix.lower() not in (".mid", ".wav"):
        raise UserError(f"--out must end in .mid or .wav, but it is {out}.")
    places = (
        [out] if options.samples == 1 else [out.with_stem(f"{out.stem}-{number}") for number in range(1, options.samples + 1)]
    )
    refuse_overwriting(places, [options.input], overwrite=options.overwrite)

    from gansmith.data.options import names_in
    from gansmith.kinds.music.codec import MusicCodec
    from gansmith.kinds.music.midi import read_midi, write_midi
    from gansmith.kinds.music.readers import content_of
    from gansmith.kinds.music.synthesis import wav
    from gansmith.kinds.music.translation.accompany import accompanied
    from gansmith.model import Model
    from gansmith.planning.plan import choose_device

    model = Model.load(options.run, choose_device(options.device), trust=options.trust)
    assert isinstance(model.codec, MusicCodec)
    piece = read_midi(content_of(options.input), str(options.input), model.codec.per_beat)
    keep = names_in(options.keep) if options.keep else None
    output = Output(options.json)
    for number, place in enumerate(places):
        made, kept = accompanied(model, piece, keep=keep, bars=options.bars, rewrite=options.rewrite, seed=options.seed + number)
        place.parent.mkdir(parents=True, exist_ok=True)
        with whole(place) as part:
            part.write_bytes(wav(made) if place.suffix.lower() == ".wav" else write_midi(made))
        output.say(f"{place}: kept {' and '.join(kept) or 'nothing'}, made the other tracks of {len(made.tracks)}.")
    output.result({"paths": places, "kept": list(kept), "seed": options.seed})
    return 0
