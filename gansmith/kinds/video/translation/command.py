"""gansmith translate for video: a picture set in motion by itself or by a film, a video continued or translated."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, UseAppendAction, arg

from gansmith.cli.options import Flag, parse, takes
from gansmith.cli.output import Output
from gansmith.data.outputs import refuse_overwriting, whole
from gansmith.errors import UserError

if TYPE_CHECKING:
    from gansmith.kinds.video.clip import Clip
    from gansmith.kinds.video.codec import VideoCodec
    from gansmith.model import Model

_LENGTH = re.compile(r"(\d+(?:\.\d+)?)(s?)")


@dataclass(frozen=True, kw_only=True)
class Translate:
    """Makes videos that begin with a picture or go on where a video ends, moves a picture as a film moves, or translates a film."""

    run: Annotated[Positional[Path], takes("RUN")]
    """A run folder, its model/ folder, or a copy of one."""
    input: Annotated[Positional[Path], takes("INPUT")]
    """A picture to begin with or to move, or a video to go on with or to translate."""
    out: Annotated[Path | None, takes("FILE", "RUN/translated.webp")] = None
    """The video: .mp4, .webm, .gif, .webp, .apng, .npz, .zip or .png (film strips); several play side by side."""
    length: Annotated[str | None, takes("T|SECONDSs", "that of the training")] = None
    """Frames (24), or seconds (3s), of the whole; possibly more than the model was trained on."""
    go_on: Annotated[str | None, takes("T|SECONDSs"), arg(name="continue")] = None
    """Of a video: add so many frames (24) or seconds (2s)."""
    until: Annotated[Path | None, takes("PICTURE")] = None
    """End with this picture."""
    loop: Flag = False
    """Lead back to the first frame."""
    driver: Annotated[Path | None, takes("FILM")] = None
    """Of models of motion: the film as which the picture moves."""
    absolute: Flag = False
    """Move to where the driver's keypoints are, not as far as they move."""
    own_size: Flag = False
    """Translate a film in its own size, not in that of the model."""
    samples: Annotated[int, takes("N", "1"), arg(aliases=["-n"])] = 1
    """Make so many."""
    where: Annotated[UseAppendAction[tuple[str, ...]], takes("KEY=VALUE")] = ()
    """A condition, e.g. class=walk."""
    seed: Annotated[int, takes("S", "0")] = 0
    """Decides the noise."""
    device: Annotated[str, takes("DEVICE", "auto")] = "auto"
    """cpu, cuda or mps; auto takes the best there is."""
    trust: Flag = False
    """Let Python files run that the run names, as its GAN for example."""
    overwrite: Flag = False
    """Replace files that exist; RUN/translated.webp is replaced without it."""
    json: Flag = False
    """Print JSON."""


def run(argv: list[str]) -> int:
    options = parse(Translate, argv, "gansmith translate")
    if options.samples < 1:
        raise UserError(f"--samples must be at least 1, but it is {options.samples}.")
    if options.loop and (options.until or options.go_on or options.length):
        raise UserError("--loop leads back to the first frame of one clip: leave out --until, --continue and --length.")
    if options.go_on is not None and options.length is not None:
        raise UserError("--continue says how much is added and --length how long all is: leave one out.")
    from gansmith.cli.generate import condition
    from gansmith.kinds.video.translation.making import check_starts, looped, made_from
    from gansmith.model import Model
    from gansmith.planning.plan import choose_device

    where = dict(condition(text) for text in options.where)
    model = Model.load(options.run, choose_device(options.device), trust=options.trust)
    if model.codec.spec.source is not None:
        return _frame_by_frame(options, model)
    if options.driver is not None or options.absolute or options.own_size:
        flag = "--driver" if options.driver is not None else "--absolute" if options.absolute else "--own-size"
        raise UserError(f"{flag} is for models of motion or of pairs, and {model.gan.name} makes clips alone: leave it out.")
    codec = check_starts(model)
    out = options.out or options.run / "translated.webp"
    _check_suffix(out, codec.suffixes)
    refuse_overwriting([out], [options.input, options.until], overwrite=options.overwrite or options.out is None)
    given = frames_of(options.input, codec)
    how = {"n": options.samples, "seed": options.seed, "where": where}
    if options.loop:
        clips = looped(model, given, **how)
    else:
        last = frames_of(options.until, codec) if options.until else None
        clips = made_from(model, given, _frames(options, given, codec, last is not None), last=last, **how)
    out.parent.mkdir(parents=True, exist_ok=True)
    with whole(out) as part:
        codec.write(clips, part)
    output = Output(options.json)
    several = "a clip" if len(clips) == 1 else f"{len(clips)} clips"
    output.say(f"{several} of {len(clips[0].frames)} frames ({clips[0].seconds:.1f} s): {out}")
    output.result({"out": out, "frames": len(clips[0].frames), "rate": clips[0].rate, "seed": options.seed, "where": where})
    return 0


def _check_suffix(out: Path, suffixes: Sequence[str]) -> None:
    if out.suffix.lower() not in suffixes:
        raise UserError(f"--out {out} ends in {out.suffix or 'nothing'}, where videos are written as {', '.join(suffixes)}.")


def _frame_by_frame(options: Translate, model: Model) -> int:
    """Films made of films, and of a picture and a film."""
    from gansmith.kinds.video.translation.films import (
        mover,
        moves_pictures,
        opened_film,
        opened_picture,
        translator,
        write_through,
    )

    moves, name = moves_pictures(model), model.gan.name
    for flag, given in (
        ("--length", options.length),
        ("--continue", options.go_on),
        ("--until", options.until),
        ("--loop", options.loop),
        ("--where", options.where),
    ):
        if given:
            raise UserError(f"{flag} is for models that begin with a picture, and {name} follows a film: leave it out.")
    if options.samples != 1:
        raise UserError(f"{name} makes one film of a film: leave --samples out.")
    if moves and options.driver is None:
        raise UserError(f"{name} moves a picture as a film moves: name the film with --driver.")
    if not moves and (options.driver is not None or options.absolute):
        flag = "--driver" if options.driver is not None else "--absolute"
        raise UserError(f"{flag} is for models that move pictures, and {name} translates films: leave it out.")
    if moves and options.own_size:
        raise UserError(f"--own-size is for models that translate films, and {name} moves pictures: leave it out.")
    codec = model.codec.b  # pyright: ignore[reportAttributeAccessIssue]
    out = options.out or options.run / "translated.webp"
    _check_suffix(out, codec.suffixes)
    refuse_overwriting([out], [options.input, options.driver], overwrite=options.overwrite or options.out is None)
    if moves:
        assert options.driver is not None
        picture = opened_picture(options.input)
        source, footage = options.driver, opened_film(options.driver, "--driver")
        next_image = mover(model, picture, absolute=options.absolute)
    else:
        source, footage = options.input, opened_film(options.input, "INPUT")
        next_image = translator(model, own_size=options.own_size)
    out.parent.mkdir(parents=True, exist_ok=True)
    with whole(out) as part:
        count, rate, remarks = write_through(next_image, footage, source, codec, part, out)
    output = Output(options.json)
    for remark in remarks:
        output.say(f"{out}: {remark}.")
    output.say(f"a clip of {count:,} frames ({count / rate:.1f} s): {out}")
    output.result({"out": out, "frames": count, "rate": rate})
    return 0


def frames_of(path: Path, codec: VideoCodec) -> Clip:
    """A picture as a clip of one frame, or a video at the rate of the model. Raises UserError for what is neither."""
    import numpy as np
    from PIL import Image

    from gansmith.data.readers import films
    from gansmith.data.readers.files import Unreadable, refuse_endless
    from gansmith.kinds.video.build import frames_at
    from gansmith.kinds.video.clip import Clip
    from gansmith.kinds.video.readers.animations import Animation, is_animated
    from gansmith.kinds.video.readers.footage import Film

    refuse_endless(path)
    if not path.is_file():
        raise UserError(f"there is no file {path}: give a picture or a video.")
    try:
        if path.suffix.lower() in films.SUFFIXES or is_animated(path):
            footage = Film(path) if path.suffix.lower() in films.SUFFIXES else Animation(path)
            frames = [codec.pixels(image) for image, _ in frames_at(footage, codec.spec.rate)]
        else:
            with Image.open(path) as image:
                frames = [codec.pixels(image)]
    except UserError:
        raise
    except (Unreadable, OSError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(f"{path} cannot be read as a picture or a video ({error}): give another file.") from error
    return Clip(np.stack(frames).transpose(0, 2, 3, 1), codec.spec.rate)


def _frames(options: Translate, given: Clip, codec: VideoCodec, ends: bool) -> int:
    """How many frames the whole has."""
    if options.go_on is not None:
        return len(given.frames) + _count("--continue", options.go_on, codec)
    if options.length is not None:
        return _count("--length", options.length, codec)
    usual = codec.spec.shape[0]
    return usual if len(given.frames) == 1 else len(given.frames) + usual - 2


def _count(flag: str, text: str, codec: VideoCodec) -> int:
    match = _LENGTH.fullmatch(text)
    count = round(float(match[1]) * (codec.spec.rate if match[2] else 1)) if match else 0
    if not 1 <= count <= 10_000:
        raise UserError(f"{flag} takes frames or seconds, such as 24 or 2s, but it is {text!r}.")
    return count
