"""A network in a file of the user's own as a feature space: TorchScript, torch.export, or Python that makes one.

All three are programs: TorchScript writes files (`aten::save`), torch.export.load unpickles and evaluates expressions.
"""

import inspect
import logging
import warnings
from pathlib import Path

import torch
from torch import nn

from gansmith.data.programs import allow_program, answer, python_module
from gansmith.data.suggestions import did_you_mean, listed
from gansmith.errors import UserError
from gansmith.networks.pretrained.given import Given
from gansmith.networks.pretrained.traces import file_trace


def from_script(path: Path, device: str | torch.device = "cpu") -> Given:
    """The network in a TorchScript file; raises UserError if there is none, and without the user's trust."""
    allow_program(existing(path), "is a TorchScript program")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # TorchScript itself, which people still have files of
        try:
            network = torch.jit.load(str(path), map_location=device)
        except (RuntimeError, ValueError) as error:
            raise UserError(
                f"{path} should hold a network saved by torch.jit, but it does not: weights alone do not say what to compute, so save it "
                "with torch.jit.trace or torch.export, or give file.py:function."
            ) from error
    return Given(network, name=path.stem, key=file_trace(path))


def from_program(path: Path, device: str | torch.device = "cpu") -> Given:
    """The network in a file of torch.export, whose batch must have been exported as dynamic.

    Raises UserError if there is none, and without the user's trust.
    """
    from torch.export.passes import move_to_device_pass

    allow_program(existing(path), "is a program of torch.export, which loads pickles")
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # pages about what is said in a sentence here
    try:
        program = torch.export.load(str(path))
    except (RuntimeError, ValueError, OSError, KeyError, EOFError) as error:
        raise UserError(
            f"{path} should hold a network saved by torch.export, but it does not: save it with torch.export.save."
        ) from error
    finally:
        logging.disable(disabled)
    return Given(move_to_device_pass(program, device).module().forward, name=path.stem, key=file_trace(path), device=device)


def from_function(path: Path, function: str, device: str | torch.device = "cpu") -> Given:
    """What this function of a Python file returns: a module, which is moved to `device`, or a function of a batch on it. A function that
    takes a batch stands for itself.

    Raises UserError if there is no such file or function, if the file may not run (see `gansmith.data.programs`) or fails, or if the
    function returns something else.
    """
    module = python_module(existing(path), "--features", "a network")
    make = getattr(module, function, None)
    if not callable(make):
        functions = [
            known for known, value in vars(module).items() if inspect.isfunction(value) and value.__module__ == module.__name__
        ]
        raise UserError(
            f'{path} has no function "{function}"{did_you_mean(function, functions)}: those it has are {listed(functions) or "none"}.'
        )
    taken = inspect.signature(make).parameters.values()
    takes_batch = any(own.default is own.empty and own.kind is own.POSITIONAL_OR_KEYWORD for own in taken)
    network = make if takes_batch else answer(path, make)
    if not callable(network):
        raise UserError(
            f"{function} of {path} should return a torch module, but it returns a {type(network).__name__}: change it."
        )
    return Given(network.to(device) if isinstance(network, nn.Module) else network, device=device)


def existing(path: Path) -> Path:
    """The path; raises UserError if there is no such file."""
    if not path.is_file():
        raise UserError(f"features should come from the network in {path}, but there is no such file: correct its path.")
    return path
