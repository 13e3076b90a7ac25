"""Room in memory for the pictures that several threads decode at the same time."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from gansmith.data.readers.limits import current
from gansmith.kinds.images.channels_file import Opened

_free = Condition()
_taken = 0


@contextmanager
def room_for(image: Opened) -> Iterator[None]:
    """Waits until this picture and all that are being decoded have no more than `Limits.pixels` together."""
    global _taken
    most = current().pixels
    pixels = min(image.size[0] * image.size[1], most)
    with _free:
        _free.wait_for(lambda: _taken + pixels <= max(most, pixels))
        _taken += pixels
    try:
        yield
    finally:
        with _free:
            _taken -= pixels
            _free.notify_all()
