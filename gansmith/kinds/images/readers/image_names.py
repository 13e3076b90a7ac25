"""Which image a table means: names are written with other slashes, in other case, without folder or suffix."""

from collections.abc import Sequence
from pathlib import PurePosixPath


class ImageNames:
    """The images of a source by everything a table may call them."""

    def __init__(self, images: Sequence[str]) -> None:
        self._exact = set(images)
        self._by_path: dict[str, list[str]] = {}
        self._by_name: dict[str, list[str]] = {}
        for image in images:
            path = PurePosixPath(image.casefold())
            for key in (path, path.with_suffix("")):
                self._by_path.setdefault(key.as_posix(), []).append(image)
            for name in (path.name, path.stem):
                self._by_name.setdefault(name, []).append(image)

    def meant(self, name: str, folder: PurePosixPath) -> list[str]:
        """The images that a table in this folder may mean by a name: one if it is clear, none, or several.

        The path from the table's folder counts first, then the path without case and suffix, then the bare name, of several images
        with one that whose folders are named too.
        """
        name = name.strip().replace("\\", "/").removeprefix("./")
        if not name:
            return []
        exact = (folder / name).as_posix()
        if exact in self._exact:
            return [exact]
        path = PurePosixPath(name.casefold())
        if found := self._by_path.get((PurePosixPath(folder.as_posix().casefold()) / path).as_posix()):
            return found
        found = self._by_name.get(path.name, [])
        if len(found) < 2:
            return found
        shared = [_shared_end(path, PurePosixPath(image.casefold())) for image in found]
        return [image for image, length in zip(found, shared, strict=True) if length == max(shared)]


def _shared_end(a: PurePosixPath, b: PurePosixPath) -> int:
    """How many folders above the file have the same names."""
    count = 0
    for one, other in zip(reversed(a.parts[:-1]), reversed(b.parts[:-1]), strict=False):
        if one != other:
            break
        count += 1
    return count
