"""What networks must know about videos."""

from dataclasses import dataclass

from gansmith.data.spec import Spec


@dataclass(frozen=True, kw_only=True)
class VideoSpec(Spec):
    """Clips [frames, channels, height, width], float32 from -1 to 1; networks may make clips of other numbers of frames."""

    kind: str = "video"
    key: str = "video"
    axes: tuple[str, ...] = ("frame", "channel", "height", "width")
    rate: float = 8.0
    """Frames a second."""
    loops: bool = False
    """Whether a clip begins again after its last frame, as most animations do."""
