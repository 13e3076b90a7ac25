"""A critic's move with R1, R2 and the relativistic loss: each exact form of the penalty against double backward.

    python bench/penalty.py

The r3gan critic of `bench/step.py` (width 64, 32x32) on 32 real and 32 generated examples in one pass: losses and all weight gradients.
The forms alternate in one process with one thread; the figure is the quickest of the rounds in CPU time of the thread.
"""

import json
import time
from pathlib import Path

import torch
from step import CASES, build, squares
from torch.nn.functional import softplus

from gansmith.penalties import forms

RESULTS = Path(__file__).parent / "results" / "penalty.json"
FORMS = {"double backward": forms.double_backward, "held kinks": forms.held_kinks_or_double_backward}
ROUNDS = 5


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    case = CASES[0]
    critic = build(case, squares(case.side, case.channels)).players["critic"].network.train()
    weights = list(critic.parameters())
    with torch.no_grad():
        for weight in weights:
            weight.add_(0.02 * torch.randn_like(weight))  # the last layer of each block starts at zero
    x = torch.randn(2 * case.batch, case.channels, case.side, case.side)

    def move(form, precision: str) -> tuple[torch.Tensor, float]:
        began = time.thread_time()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            logits, norms = form(critic, x)
            real, fake = logits.float().chunk(2)
            loss = softplus(fake - real).mean() + 0.05 * norms.mean()
        found = torch.autograd.grad(loss, weights)
        return torch.cat([gradient.flatten() for gradient in found]), time.thread_time() - began

    exact, _ = move(forms.double_backward, "float32")
    results = {}
    for precision in ("float32", "bfloat16"):
        best = dict.fromkeys(FORMS, float("inf"))
        for _ in range(ROUNDS):
            for name, form in FORMS.items():
                gradient, seconds = move(form, precision)
                best[name] = min(best[name], seconds)
                results[f"{name}, {precision}"] = {
                    "milliseconds": round(1000 * best[name], 1),
                    "cosine": round(torch.cosine_similarity(gradient.double(), exact.double(), dim=0).item(), 6),
                    "relative_error": float(f"{(gradient - exact).norm() / exact.norm():.2g}"),
                }
        print(precision, round(best["double backward"] / best["held kinks"], 2), "times as fast")
    RESULTS.write_text(json.dumps({"torch": torch.__version__, "rounds": ROUNDS, "results": results}, indent=1) + "\n")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
