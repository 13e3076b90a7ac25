"""The one error that is the user's to mend."""


class UserError(ValueError):
    """A mistake that the user can mend: one sentence with what was expected, what came and what to change.

    The command line prints it to stderr and exits with status 2; every other exception is a fault of ours (status 1).
    """


def missing_extra(package: str, extra: str, purpose: str) -> UserError:
    """The answer to an optional package that is not installed: the exact command that installs it."""
    return UserError(f'{purpose} needs the package {package}, which is not installed: run pip install "gansmith[{extra}]".')
