import torch

from tests.elsewhere import Elsewhere


def test_what_the_cpu_made_is_not_mixed_with_what_is_there():
    there = torch.ones(3)
    elsewhere = Elsewhere()
    elsewhere.put([there])
    with elsewhere:
        there * torch.arange(3, device=there.device) + torch.ones(()) + torch.ones(3).to(there.device)
        assert elsewhere.mixed == []
        there * torch.arange(3)
    assert [own.partition(":")[0] for own in elsewhere.mixed] == ["mul"]


def test_reading_a_number_waits_only_if_it_is_there():
    there, here = torch.ones(3), torch.ones(3)
    elsewhere = Elsewhere()
    elsewhere.put([there])
    with elsewhere:
        here.sum().item()
        assert elsewhere.waits == []
        (there * 2).sum().item()
    assert [own.partition(":")[0] for own in elsewhere.waits] == ["_local_scalar_dense"]
