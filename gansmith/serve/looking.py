"""The process in which uploaded pictures are decoded first: with little memory, no model, and nothing to lose.

    python -m gansmith.serve.looking '{}'

A request names a file and how many pixels it may have, all frames together; the answer says that it can be read.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from PIL import Image, ImageSequence

from gansmith.errors import UserError

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
"""Pictures that are looked at."""
MEMORY = 2**31
"""Bytes of address space that this process may take."""


def look(path: Path, most: int) -> None:
    """Decodes a picture, all frames of it. Raises UserError for one that is none, and for too many pixels: before they are decoded."""
    try:
        with Image.open(path, formats=FORMATS) as image:  # reads the header alone
            pixels = image.width * image.height * getattr(image, "n_frames", 1)
            if pixels > most:
                raise UserError(f"the picture has {pixels:,} pixels, and {most:,} are taken here: make it smaller.")
            for frame in ImageSequence.Iterator(image):
                frame.load()
    except UserError:
        raise
    except Exception as error:
        raise UserError("the uploaded file is no picture that can be read: give a PNG, JPEG or WebP file.") from error


def main() -> int:
    """Answers requests until standard input ends."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    except (ImportError, ValueError, OSError):
        pass  # a system without such limits; the time is limited anyway
    Image.MAX_IMAGE_PIXELS = None  # counted here

    def say(answer: dict[str, Any]) -> None:
        print(json.dumps(answer), flush=True)

    say({"ready": {}})
    for line in sys.stdin:
        request = json.loads(line)
        if "cancel" in request:
            continue
        say({"id": request["id"], "begun": True})
        try:
            look(Path(request["path"]), request["pixels"])
            say({"id": request["id"], "result": {}})
        except UserError as error:
            say({"id": request["id"], "refused": str(error)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
