import torch

from gansmith.kinds.images.spec import ImageSpec
from gansmith.layers.token_prior import TokenPrior

SPEC = ImageSpec(shape=(1, 8, 8), classes=("a", "b"))


def prior(**options: int) -> TokenPrior:
    torch.manual_seed(0)
    return TokenPrior(SPEC, **{"codes": 5, "length": 6, "width": 16, "layers": 2, "heads": 2, **options}).eval()


def test_a_code_is_foretold_from_those_before_it_and_the_label_alone():
    own, tokens = prior(), torch.randint(5, (1, 6))
    label = torch.tensor([0])
    logits = own(tokens, label)
    changed = tokens.clone()
    changed[0, 3] = (changed[0, 3] + 1) % 5
    moved = (own(changed, label) != logits).any(2)[0]
    assert moved.tolist() == [False] * 4 + [True] * 2
    assert (own(tokens, torch.tensor([1])) != logits).any(2).all()


def test_writing_step_by_step_draws_from_what_the_whole_pass_says():
    own, label = prior(), torch.tensor([0, 1, 1])
    noise = torch.randn(3, 6)
    with torch.no_grad():
        tokens = own.sampled(noise, label)
        shares = own(tokens, label).softmax(2)
    uniform = torch.distributions.Normal(0.0, 1.0).cdf(noise)
    for row in range(3):
        for position in range(6):
            steps = shares[row, position].cumsum(0)
            expected = next(code for code in range(5) if uniform[row, position] <= steps[code] or code == 4)
            assert tokens[row, position] == expected


def test_without_temperature_the_likeliest_code_is_taken_whatever_the_noise():
    own, label = prior(), torch.tensor([1, 1])
    with torch.no_grad():
        own.logits.weight.mul_(5)
        tokens = own.sampled(torch.tensor([[-2.0] * 6, [2.0] * 6]), label, temperature=0.0)
        assert torch.equal(tokens[0], tokens[1])
        assert torch.equal(own(tokens, label).argmax(2), tokens)
