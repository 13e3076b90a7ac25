"""The one error that is the user's to mend."""

LONGEST = 2000
"""Characters of a message."""


class UserError(ValueError):
    """A mistake that the user can mend: one sentence with what was expected, what came and what to change.

    The command line prints it to stderr and exits with status 2; every other exception is a fault of ours (status 1). A sentence that
    repeats a name of megabytes loses its middle.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(shortened(sentence))

    def _render_traceback_(self) -> list[str]:
        """What notebooks and IPython show in place of a traceback."""
        return [f"UserError: {self}"]


def shortened(sentence: str) -> str:
    """The sentence without its middle, if it has more than LONGEST characters."""
    return sentence if len(sentence) <= LONGEST else f"{sentence[: LONGEST // 2]} ... {sentence[-LONGEST // 2 :]}"


def missing_extra(package: str, extra: str, purpose: str) -> UserError:
    """The answer to an optional package that is not installed: the exact command that installs it."""
    return UserError(f'{purpose} needs the package {package}, which is not installed: run pip install "gansmith[{extra}]".')


def is_out_of_memory(error: BaseException) -> bool:
    """Whether Python, torch or its allocators could not get the memory that they asked for."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    words = (
        "out of memory",
        "not enough memory",
        "can't allocate memory",
        "Cannot allocate memory",
        "Storage size calculation overflowed",
    )
    words += ("invalid memory size", "integer multiplication overflow", "Overflow when unpacking long", "bad allocation")
    return isinstance(error, RuntimeError) and any(each in str(error) for each in words)
