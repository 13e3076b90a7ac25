"""Ideal notes lie where the harmonics of real ones do."""

import math

import torch

from gansmith.kinds.audio.transforms import Mel, log_mel
from gansmith.layers.harmonics import IdealNote

MEL = Mel(16_000, 1024, 256, 128)


def test_an_ideal_note_is_most_like_the_real_note_of_its_pitch():
    pitches = [40.0, 53.0, 60.5, 72.0]
    time = torch.arange(16_384) / 16_000
    waves = []
    for pitch in pitches:
        first = 440 * 2 ** ((pitch - 69) / 12)
        waves.append(sum(torch.sin(2 * math.pi * k * first * time) / k for k in range(1, int(8000 / first))) * 0.2)
    real = log_mel(torch.stack(waves), MEL).mean(2)
    real = (real - real.mean(1, keepdim=True)) / real.std(1, keepdim=True)
    asked = torch.arange(36, 84.01, 0.5)
    ideal = IdealNote(MEL, 0, 36, 84)((asked[:, None] - 36) / 24 - 1)
    torch.testing.assert_close(ideal.mean(1), torch.zeros(len(asked)), atol=1e-4, rtol=0)
    nearest = asked[(real @ ideal.T).argmax(1)]
    torch.testing.assert_close(nearest, torch.tensor(pitches))


def test_the_ends_of_the_range_are_the_first_and_last_note():
    note = IdealNote(MEL, 1, 36, 84)
    made = note(torch.tensor([[0.0, -1.0], [0.0, 1.0]]))
    torch.testing.assert_close(made, note.notes[[0, -1]])
