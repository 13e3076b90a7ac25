"""SeqGAN's experiment (Yu et al. 2017, section 5.1) on the built-in oracle: the pair of likelihoods, over temperatures.

    python bench/oracle.py --gan seqgan --samples 60000
    python bench/oracle.py --gan seqgan --samples 60000 --config likelihood_share=1 critic_share=0

NLL-oracle: nats a token of generated texts under the oracle (quality). NLL-test: nats a token of held-out texts under the model
(diversity), both at one temperature. One thread, CPU seconds; results are added to bench/results/oracle.json.
"""

import argparse
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from sequences import note, trained
from torch import Tensor
from torch.nn.functional import cross_entropy

from gansmith.kinds.opening import open_dataset
from gansmith.kinds.text.oracle import builtin, spoken
from gansmith.kinds.text.words import texts_of
from gansmith.layers.sequence import SequenceModel
from gansmith.model import Model

RESULTS = Path(__file__).parent / "results" / "oracle.json"


@torch.no_grad()
def surprise(model: SequenceModel, tokens: Tensor, temperature: float) -> float:
    """Nats a token at a temperature."""
    logits = torch.cat([model.logits(part, None) for part in tokens.split(250)]) / temperature
    return float(cross_entropy(logits.flatten(0, 1), tokens.flatten(), ignore_index=model.pad))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gan", default="seqgan", help="one whose writer is a SequenceModel: seqgan, sequencegan")
    parser.add_argument("--samples", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--temperatures", type=float, nargs="*", default=[1.0, 0.9, 0.8, 0.7])
    parser.add_argument("--config", nargs="*", default=[], metavar="FIELD=JSON")
    parser.add_argument("--precision", default="auto")
    arguments = parser.parse_args()
    train, held_out = open_dataset("oracle").split(0.2)
    made, facts = trained(train, arguments)
    model = Model(made, train.codec, {"gan": arguments.gan})
    writer = made.generator.averaged  # pyright: ignore[reportAttributeAccessIssue]
    assert isinstance(writer, SequenceModel)
    unseen = held_out.batch(slice(None))["text"]
    curve: dict[str, Any] = {}
    for temperature in arguments.temperatures:
        tokens = model.sample(arguments.count, seed=arguments.seed, truncation=temperature)["text"]
        known = spoken([raw.text for raw in train.codec.decode({"text": tokens})])  # pyright: ignore[reportAttributeAccessIssue]
        assert known is not None
        curve[str(temperature)] = {
            "nll_oracle": round(float(builtin().surprise(known).mean()), 3),
            "nll_test": round(surprise(writer, unseen, temperature), 3),
            "different_tokens": len(np.unique(known)),
            "different_texts": len(np.unique(known, axis=0)),
        }
    said = spoken(texts_of(held_out))
    assert said is not None
    note({**facts, "curve": curve, "real": round(float(builtin().surprise(said).mean()), 3)}, RESULTS)


if __name__ == "__main__":
    main()
