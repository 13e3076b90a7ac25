"""The commands: each is one module of this folder and a thin call of the Python functions.

Exit status: 0 done, 2 a mistake that the user can mend (one sentence on stderr), 1 a fault of ours (with its traceback), 130
interrupted, of a training after saving. (In this module `list` is a command, not the type.)
"""

import contextlib
import importlib
import io
import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import NoReturn

from gansmith import __version__
from gansmith.data.suggestions import did_you_mean
from gansmith.errors import UserError, is_out_of_memory, shortened
from gansmith.training.stopping import INTERRUPTED, Stopped, listening

COMMANDS = {
    "train": "train a GAN on data, judge it and write a report",
    "demo": "see something at once, made by a model that comes with the package",
    "generate": "make new examples with a trained model",
    "translate": "or enhance pictures, folders and videos, with a model that was trained on pairs or domains",
    "optimise": "find molecules that are good for something, with a trained model",
    "speak": "say text in the voice that a model has learned",
    "evaluate": "judge a run, or anybody's samples, against real data",
    "detect": "are examples of people or of a model? by the critic of a run",
    "compare": "runs beside each other, and which of their differences are real",
    "edit": "walk, project, mix and average: reach into a trained model",
    "export": "write a model for other programs: ONNX, torch, safetensors",
    "push": "upload a model to the Hugging Face hub, with a card",
    "serve": "offer trained models over HTTP, with pages to try them",
    "studio": "the workshop in the browser: train, watch and use your runs",
    "inspect": "what is in some data, what is wrong with it, what would be trained",
    "list": "the GANs, data sets, metrics and presets there are",
}

OVERVIEW = f"""\
usage: gansmith COMMAND ...

Train, judge and use generative adversarial networks.

{"".join(f"  {name:<10}{line}{chr(10)}" for name, line in COMMANDS.items())}
  gansmith COMMAND --help shows a command's options, gansmith --version the version.

Begin with:

  gansmith train digits
"""

NEEDS_DATA = "Training needs data: name a folder, a file, a hub data set or a built-in one, e.g. gansmith train digits."

DONE, FAULT_OF_OURS, MISTAKE = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line (sys.argv if none is given) and returns its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            with contextlib.suppress(OSError):  # of a file whose place a pipe has taken since
                stream.reconfigure(errors="replace")  # a terminal without a letter shows "?", which is no reason to fail
    try:
        with listening(_stop):
            status = _run([*(sys.argv[1:] if argv is None else argv)])
            sys.stdout.flush()
            return status
    except SystemExit as end:  # a command's --help, printed
        return DONE if not end.code else MISTAKE
    except UserError as error:
        return _refuse(str(error))
    except BrokenPipeError:  # whoever read our output has seen enough
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        if error.strerror is None:
            raise
        place = error.filename or "What should be written or read"
        return _refuse(f"{place} cannot be used ({error.strerror}): give another path, or make room or permission there.")
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        return _refuse(
            "there is not enough memory for this: free some, or take less at a time (a smaller --batch or --accumulate K in training, "
            "smaller examples, a smaller model)."
        )
    except KeyboardInterrupt as end:
        number = str(end) if isinstance(end, Stopped) else "SIGINT"
        if "RANK" not in os.environ or number == "SIGINT":  # else torchrun sent it, which says why
            _say(f"stopped by {number}: what was finished before is whole.")
        return INTERRUPTED


def _run(argv: list[str]) -> int:
    name, *rest = argv or [""]
    if name == "help" and rest and rest[0] in COMMANDS:
        name, rest = rest[0], [*rest[1:], "--help"]
    if name in ("-h", "--help", "help", "--version"):
        if rest:
            guess = did_you_mean(rest[0], tuple(COMMANDS))
            raise UserError(f"gansmith {name} takes no {rest[0]!r}{guess}: gansmith COMMAND --help tells a command's options.")
        print(f"gansmith {__version__}" if name == "--version" else OVERVIEW.rstrip())
        return DONE
    if not name:
        print(OVERVIEW, end="", file=sys.stderr)
        return MISTAKE
    if name not in COMMANDS:
        raise UserError(
            f"There is no command {name!r}{did_you_mean(name, tuple(COMMANDS))}: choose one of {', '.join(COMMANDS)}."
        )
    if name == "train" and not rest:  # at once, before anything is loaded
        raise UserError(NEEDS_DATA)
    return importlib.import_module(f"gansmith.cli.{name}").run(rest)


def _stop(signal: str) -> NoReturn:
    raise Stopped(signal)


def _refuse(sentence: str) -> int:
    _say(sentence)
    return MISTAKE


def _say(sentence: str) -> None:
    if os.environ.get("RANK", "0") == "0":  # of several processes, one speaks
        with contextlib.suppress(OSError, ValueError):  # the terminal may be gone
            said = f"gansmith: {shortened(sentence)}"
            if sys.stderr.isatty():  # pipes and logs keep one line
                width = shutil.get_terminal_size().columns
                said = textwrap.fill(said, width, break_long_words=False, break_on_hyphens=False)
            print(said, file=sys.stderr)
