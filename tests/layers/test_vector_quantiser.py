import numpy as np
import torch

from gansmith.layers.vector_quantiser import VectorQuantiser


def test_every_place_gets_its_nearest_code_and_gradients_pass_straight_through():
    torch.manual_seed(0)
    quantiser = VectorQuantiser(7, 3, decay=0.9, rare=0.0)
    x = torch.randn(2, 3, 4, 5, requires_grad=True)
    made, chosen, distance = quantiser(x)
    rows = x.detach().movedim(1, 3).reshape(-1, 3).numpy()
    codes = quantiser.codes.numpy()
    expected = [int(np.argmin([np.square(row - code).sum() for code in codes])) for row in rows]
    assert chosen.flatten().tolist() == expected
    np.testing.assert_allclose(made.detach().movedim(1, 3).reshape(-1, 3).numpy(), codes[expected], atol=1e-6)
    assert abs(distance.item() - np.square(rows - codes[expected]).mean()) < 1e-6
    weights = torch.randn_like(made)
    (gradient,) = torch.autograd.grad((made * weights).sum(), x)
    torch.testing.assert_close(gradient, weights)


def test_codes_are_moving_averages_of_the_vectors_that_chose_them():
    torch.manual_seed(0)
    quantiser = VectorQuantiser(2, 1, decay=0.75, rare=0.0)
    quantiser.codes.copy_(torch.tensor([[0.0], [10.0]]))
    batches = [torch.tensor([1.0, 2.0, 9.0, 11.0]), torch.tensor([-1.0, 0.0, 12.0, 12.0])]
    counts, sums = np.zeros(2), np.zeros(2)
    for number, values in enumerate(batches):
        quantiser(values.view(1, 1, 2, 2))
        quantiser.absorb()
        own = values.numpy().reshape(2, 2)
        keep = 0.75 if number else 0.0
        counts = keep * counts + (1 - keep) * np.array([2, 2])
        sums = keep * sums + (1 - keep) * own.sum(1)
        np.testing.assert_allclose(quantiser.codes[:, 0].numpy(), sums / counts, rtol=1e-6)
    before = quantiser.codes.clone()
    quantiser.absorb()  # nothing new
    assert torch.equal(before, quantiser.codes)


def test_a_code_that_nothing_chooses_begins_anew_at_a_vector_of_the_batch():
    torch.manual_seed(0)
    quantiser = VectorQuantiser(16, 2, decay=0.9, rare=0.05)
    quantiser.codes.add_(50.0)
    quantiser.codes[0] = 0.0
    x = torch.randn(8, 2, 4, 4)
    use = []
    for _ in range(30):
        quantiser(x)
        quantiser.absorb()
        use.append(quantiser.used())
    assert quantiser.codes.abs().max() < 10 and use[-1] > 0.7
    quantiser.counts.zero_()
    quantiser.counts[3] = 1
    assert abs(quantiser.used() - 1 / 16) < 1e-6


def test_at_rest_nothing_is_gathered():
    quantiser = VectorQuantiser(4, 2, decay=0.9, rare=0.05).eval()
    quantiser(torch.randn(1, 2, 3, 3))
    assert quantiser.new_counts.sum() == 0
