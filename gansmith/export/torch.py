"""A program of torch.export (.pt2) with a dynamic batch, which runs where torch does, without gansmith.

    gansmith export RUN --to torch

`torch.export.load("model.pt2").module()` is called with the inputs by name; the archive's extra file `gansmith.json` says which
they are, and holds the classes and the codec.
"""

import io
import json
from pathlib import Path

import torch

from gansmith.export import properties
from gansmith.export._network import compared, dynamic, fixed_batch, network_of, quiet
from gansmith.model import Model

FILE = "model.pt2"


def write(model: Model, path: Path) -> str:
    """Writes the file, loads it again and holds it against the model. Raises RuntimeError if they differ."""
    network, inputs = network_of(model)
    sizes = dynamic(network, inputs)
    with quiet():
        try:
            program = torch.export.export(network, (), kwargs=inputs, dynamic_shapes=sizes)
        except torch._dynamo.exc.UserError as error:
            if error.error_type is not torch._dynamo.exc.UserErrorType.CONSTRAINT_VIOLATION:
                raise
            raise fixed_batch(str(model.card.get("gan"))) from error
        content = io.BytesIO()  # the writer of torch ends the process where the disk is full
        torch.export.save(program, content, extra_files={"gansmith.json": json.dumps(properties(model, inputs))})
        path.write_bytes(content.getvalue())
        module = torch.export.load(path).module()
        return compared(network, inputs, lambda given: module(**given))
