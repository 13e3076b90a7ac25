"""Molecules drawn as structures, for run folders and boards."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from gansmith.kinds.molecules.chemistry import canonical, rdkit

COLUMNS, TILE = 6, 160
"""Molecules in a row, and the side of each picture in pixels."""
PALE = "#767676"


def drawn(smiles: Sequence[str]) -> Image.Image:
    """A grid of structures; what is no molecule is written out in gray."""
    columns = min(COLUMNS, max(1, len(smiles)))
    rows = -(-max(1, len(smiles)) // columns)
    page = Image.new("RGB", (columns * TILE, rows * TILE), "white")
    for place, each in enumerate(smiles):
        at = (place % columns * TILE, place // columns * TILE)
        if canonical(each) is None:
            ImageDraw.Draw(page).text(
                (at[0] + 8, at[1] + TILE // 2), f"no molecule: {each[:16]}", PALE, ImageFont.load_default(10)
            )
        else:
            page.paste(_structure(each), at)
    return page


def _structure(smiles: str) -> Image.Image:
    from rdkit.Chem.Draw import rdMolDraw2D

    pen = rdMolDraw2D.MolDraw2DCairo(TILE, TILE)
    rdMolDraw2D.PrepareAndDrawMolecule(pen, rdkit().MolFromSmiles(smiles))
    pen.FinishDrawing()
    return Image.open(io.BytesIO(pen.GetDrawingText())).convert("RGB")
