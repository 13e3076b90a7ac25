"""Games whose models say text: what the command `gansmith speak` and `Model.speak` need of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from gansmith.data.codec import Codec
    from gansmith.game import GAN


@runtime_checkable
class Speaks(Protocol):
    """A GAN that makes speech of text."""

    def speak(
        self,
        codec: Codec[Any],
        text: str,
        *,
        speed: float = 1.0,
        vocoder: GAN | None = None,
        speaker: str | None = None,
    ) -> Any:
        """The text as speech in the codec's raw form; `speed` 2 takes half as long, `vocoder` is another GAN that makes the wave, `speaker`
        the name of a voice or its number from 1.

        Raises UserError for text that cannot be said, and for a vocoder that does not fit.
        """
        ...
