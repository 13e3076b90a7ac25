"""Media inside the page: players for sounds and clips, texts written out, other files to download. All are embedded as data."""

import base64
from pathlib import Path

from gansmith.data.preview import media_beside, type_of
from gansmith.report.markup import Markup, join, tag

MEDIA_BYTES = 2_000_000
"""The size of the media of one preview; base64 adds a third."""
TEXT_CHARACTERS = 4_000
"""How much of a text is written out."""


def players(picture: Path, words: str, most_bytes: int = MEDIA_BYTES) -> tuple[Markup | None, int]:
    """The media of the preview whose picture this is, as many as the size allows, and how many are left out.

    `words` say what they are, for those who do not see the page.
    """
    shown, left_out = [], 0
    for name, path in media_beside(picture).items():
        kind = type_of(path)
        size = min(path.stat().st_size, 4 * TEXT_CHARACTERS) if kind.startswith("text/") else path.stat().st_size
        if size > most_bytes:
            left_out += 1
            continue
        most_bytes -= size
        shown.append(tag("div", tag("small", name), _player(path, kind, f"{words}: {name}", name), class_="medium"))
    return tag("div", *shown, class_="media") if shown else None, left_out


def left_out(count: int) -> Markup | None:
    """The sentence about media for which the page has no room."""
    if not count:
        return None
    said = "1 file is" if count == 1 else f"{count} files are"
    return tag("p", f"{said} left out here, so that the page stays small: see the folder samples/.", class_="note")


def _player(path: Path, kind: str, words: str, name: str) -> Markup:
    if kind.startswith("text/"):
        return _text(path, words)
    source = f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
    if kind.startswith("video/"):
        return tag("video", src=source, controls=True, loop=True, muted=True, playsinline=True, aria_label=words)
    if kind.startswith("image/"):
        return tag("img", src=source, alt=words)
    if kind.startswith("audio/") and kind != "audio/midi":  # which no browser plays
        return tag("audio", src=source, controls=True, preload="metadata", aria_label=words)
    return tag("a", "Download", href=source, download=name, aria_label=words)


def _text(path: Path, words: str) -> Markup:
    with path.open("rb") as file:
        content = file.read(4 * TEXT_CHARACTERS).decode(errors="replace")
    whole = len(content) <= TEXT_CHARACTERS and path.stat().st_size <= 4 * TEXT_CHARACTERS
    return join(
        tag("pre", content[:TEXT_CHARACTERS], tabindex=0, aria_label=words),
        None if whole else tag("p", f"Only its first {TEXT_CHARACTERS:,} characters are shown.", class_="note"),
    )
