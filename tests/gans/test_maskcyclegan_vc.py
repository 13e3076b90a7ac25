"""What is said is seen apart from who says it."""

import torch

from gansmith.gans.maskcyclegan_vc import said


def test_a_timbre_and_finer_harmonics_leave_what_is_said_and_another_sentence_does_not():
    generator = torch.Generator().manual_seed(0)
    envelope = torch.randn(2, 1, 8, 48, generator=generator).repeat_interleave(10, 2)
    harmonics = torch.cos(torch.arange(80) * torch.pi / 2)[None, None, :, None]
    timbre = torch.linspace(1, -1, 80)[None, None, :, None]
    other = envelope + timbre + 0.3 * harmonics * (1 + 0.1 * torch.randn(2, 1, 1, 48, generator=generator))
    same = (said(envelope) - said(other)).abs().mean()
    different = (said(envelope) - said(envelope.flip(0))).abs().mean()
    assert said(envelope).shape == envelope.shape
    assert same < 0.02 * different
    torch.testing.assert_close(said(envelope + timbre), said(envelope), atol=1e-5, rtol=0)
