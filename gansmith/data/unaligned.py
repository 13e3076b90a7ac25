"""Two domains of images that do not belong together, dealt side by side."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Unaligned(Dataset):
    """Examples "a" and "b" of different numbers: as many positions as the longer side has, the shorter one going round.

    Which b stands beside an a has no meaning; a game that wants them independent takes its a and its b from two draws.
    """

    rows: Mapping[str, np.ndarray]
    """The rows of each array that belong to this data set."""

    def __len__(self) -> int:
        return max(map(len, self.rows.values())) if self.indices is None else len(self.indices)

    def packed(self, positions: np.ndarray | slice) -> dict[str, np.ndarray]:
        taken = (np.arange(len(self)) if self.indices is None else self.indices)[positions]
        return {key: np.asarray(array[self.rows[key][taken % len(self.rows[key])]]) for key, array in self.arrays.items()}


def unaligned(whole: Unaligned, share: float) -> Unaligned:
    """`whole` with a random share of each side held out, the same at every call; raises UserError where a side is too small."""
    kept, held = {}, {}
    for key, rows in whole.rows.items():
        if len(rows) < 2:
            raise UserError(f"side {key} of {whole.name} has {len(rows)} image, where at least 2 are needed: add more.")
        order = np.random.Generator(np.random.Philox(key=0)).permutation(rows)
        count = max(1, round(len(rows) * share))
        kept[key], held[key] = np.sort(order[count:]), np.sort(order[:count])
    fields = {"name": whole.name, "codec": whole.codec, "arrays": whole.arrays, "facts": whole.facts}
    held_out = Unaligned(**fields, rows=held, fingerprint=f"{whole.fingerprint}-held-out")
    return Unaligned(**fields, rows=kept, fingerprint=whole.fingerprint, held_out=held_out)
