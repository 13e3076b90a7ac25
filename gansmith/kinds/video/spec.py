"""What networks must know about videos."""

from dataclasses import dataclass
from typing import ClassVar

from gansmith.data.spec import Spec


@dataclass(frozen=True, kw_only=True)
class VideoSpec(Spec):
    """Clips [frames, channels, height, width], float32 from -1 to 1; networks may make clips of other numbers of frames."""

    FIXED: ClassVar[tuple[str, ...]] = ()

    kind: str = "video"
    key: str = "video"
    axes: tuple[str, ...] = ("frame", "channel", "height", "width")
    """Of a picture and the frames of a film that is to move it: ("picture and frames", "channel", "height", "width")."""
    rate: float = 8.0
    """Frames a second."""
    loops: bool = False
    """Whether a clip begins again after its last frame, as most animations do."""

    @property
    def driven(self) -> bool:
        """Whether the first frame is a picture that is to move as the others do."""
        return self.axes == DRIVEN


DRIVEN = ("picture and frames", "channel", "height", "width")
"""The axes of a picture followed by the frames of a film that is to move it."""
