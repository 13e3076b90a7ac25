"""The bad inputs of attack.py: where they come from, and which of them must be refused."""

from collections.abc import Iterator

from attacks.calls import calls
from attacks.files import files
from attacks.folders import models, names
from attacks.newer import configured, newer
from attacks.options import commands, data_options, gan_options, options
from attacks.place import Attack, Place

__all__ = ["Attack", "Place", "all_of"]


def all_of(place: Place) -> Iterator[Attack]:
    """Every attack, one group after the other."""
    for group in (calls, files, models, names, newer, configured, gan_options, options, data_options, commands):
        yield from group(place)
