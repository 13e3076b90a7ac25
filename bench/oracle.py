"""SeqGAN's experiment (Yu et al. 2017, section 5.1) on the built-in oracle: the pair of likelihoods, over temperatures.

    python bench/oracle.py --gan seqgan --samples 60000
    python bench/oracle.py --gan seqgan --samples 60000 --config likelihood_share=1 critic_share=0
    python bench/oracle.py --gan seqgan --samples 590000 --watch --config width=32 embedding=32 ...  # the pair all along the training

NLL-oracle: nats a token of generated texts under the oracle (quality). NLL-test: nats a token of held-out texts under the model
(diversity), both at one temperature. One thread, CPU seconds; results are added to bench/results/oracle.json.
"""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from sequences import note, trained
from torch import Tensor
from torch.nn.functional import cross_entropy

from gansmith.data.dataset import Dataset
from gansmith.kinds.opening import open_dataset
from gansmith.kinds.text.oracle import builtin, spoken
from gansmith.kinds.text.words import texts_of
from gansmith.layers.sequence import SequenceModel
from gansmith.model import Model
from gansmith.training.trainer import Trainer

RESULTS = Path(__file__).parent / "results" / "oracle.json"


@torch.no_grad()
def surprise(model: SequenceModel, tokens: Tensor, temperature: float) -> float:
    """Nats a token at a temperature."""
    logits = torch.cat([model.logits(part, None) for part in tokens.split(250)]) / temperature
    return float(cross_entropy(logits.flatten(0, 1), tokens.flatten(), ignore_index=model.pad))


class Watching:
    """A guest of the trainer who notes the pair at temperature 1 now and then, in the last fifth more often."""

    def __init__(self, train: Dataset, unseen: Tensor, count: int) -> None:
        self.train, self.unseen, self.count, self.found, self.ticks = train, unseen, count, [], 0

    def tick(self, trainer: Trainer, record: dict[str, Any]) -> None:
        self.ticks += 1
        if trainer.gan.clock.progress() < 0.8 and self.ticks % 4:
            return
        gan, before = trainer.gan, torch.get_rng_state()
        writer = gan.generator.averaged  # pyright: ignore[reportAttributeAccessIssue]
        tokens = writer.sampled(torch.rand(self.count, self.unseen.shape[1], generator=torch.Generator().manual_seed(1)))
        torch.set_rng_state(before)
        known = spoken([raw.text for raw in self.train.codec.decode({"text": tokens})])  # pyright: ignore[reportAttributeAccessIssue]
        pair = (
            {}
            if known is None
            else {
                "nll_oracle": round(float(builtin().surprise(known).mean()), 3),
                "nll_test": round(surprise(writer, self.unseen, 1.0), 3),
            }
        )
        self.found.append({"samples": gan.clock.samples, "progress": round(gan.clock.progress(), 4), **pair})
        print(self.found[-1], flush=True)

    def progress(self, trainer: Trainer) -> None: ...

    def save(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None: ...

    def last_good(self) -> None: ...

    def enough(self) -> bool:
        return False

    def say(self, sentence: str) -> None:
        print(sentence)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gan", default="seqgan", help="one whose writer is a SequenceModel: seqgan, sequencegan")
    parser.add_argument("--samples", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--temperatures", type=float, nargs="*", default=[1.0, 0.9, 0.8, 0.7])
    parser.add_argument("--config", nargs="*", default=[], metavar="FIELD=JSON")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--watch", action="store_true", help="note the pair during the training, too")
    arguments = parser.parse_args()
    train, held_out = open_dataset("oracle").split(0.2)
    unseen = held_out.batch(slice(None))["text"]
    watching = Watching(train, unseen, 500) if arguments.watch else None
    made, facts = trained(train, arguments, watching)
    if watching is not None:
        facts["watched"] = watching.found
    model = Model(made, train.codec, {"gan": arguments.gan})
    writer = made.generator.averaged  # pyright: ignore[reportAttributeAccessIssue]
    assert isinstance(writer, SequenceModel)
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
