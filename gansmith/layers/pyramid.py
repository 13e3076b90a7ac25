"""How often an image of any size can be halved."""

from gansmith.errors import UserError


def pyramid(height: int, width: int, patch: int) -> tuple[int, tuple[int, int]]:
    """How many stages an image of this size takes, and the lowest resolution: halved while both sides stay even and at least 4.

    Raises UserError where the sides are no multiple of the patch.
    """
    if height % patch or width % patch:
        raise UserError(
            f"The sides of the images must be multiples of the patch {patch}, but they are {height}x{width}: change --gan.patch."
        )
    rows, columns, stages = height // patch, width // patch, 1
    while rows % 2 == 0 and columns % 2 == 0 and min(rows, columns) >= 8:
        rows, columns, stages = rows // 2, columns // 2, stages + 1
    return stages, (rows, columns)
