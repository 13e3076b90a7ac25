"""How many threads to compute with on a CPU: measured on the game itself, because neither one nor all is always best.

Small networks lose more in handing work over than they win, and where another program uses a core, threads that wait for each
other crawl: on two cores, one of them busy, 321 samples a second with two threads and 736 with one.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

SECONDS = 1.5
"""How long the measurement takes, unless rounds are so long that one with each number of threads takes longer."""
BLOCKS = 3
"""Blocks of rounds with each number of threads, in turn."""
GAIN = 1.05
"""More threads must be so many times faster than fewer: they are the first to suffer from other programs."""
SLOW = 0.5
"""A share of the best pace below which a training is said to be held up."""

SHORT = 1.0
"""Seconds of a tick too short to tell its pace."""


def candidates() -> list[int]:
    """One thread, as many as there are cores, and steps of four between; only the number that OMP_NUM_THREADS asks for, if any."""
    most = torch.get_num_threads()
    if "OMP_NUM_THREADS" in os.environ:
        return [most]
    return sorted({1, most} | {4**power for power in range(1, 5) if 4**power < most})


def fastest(play_round: Callable[[], None], numbers: list[int]) -> int:
    """The number of threads with which rounds take the least time; the fewer where it makes no difference."""
    if len(numbers) == 1:
        return numbers[0]
    began = time.perf_counter()
    with using(1):
        play_round()  # allocates memory and chooses kernels
    long = time.perf_counter() - began > SECONDS / (2 * len(numbers))
    paces: dict[int, list[float]] = {number: [] for number in numbers}
    share = SECONDS / (BLOCKS * len(numbers))
    for _ in range(1 if long else BLOCKS):
        for number in numbers:
            with using(number):
                if not long:
                    play_round()  # wakes the threads
                began, rounds = time.perf_counter(), 0
                while rounds == 0 or time.perf_counter() - began < share:
                    play_round()
                    rounds += 1
                paces[number].append(rounds / (time.perf_counter() - began))
    best = numbers[0]
    for number in numbers[1:]:
        if statistics.median(paces[number]) > GAIN * statistics.median(paces[best]):
            best = number
    return best


@contextmanager
def using(number: int | None) -> Iterator[None]:
    """Computes with so many threads inside; None changes nothing."""
    before = torch.get_num_threads()
    torch.set_num_threads(number or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Pace:
    """Notices, once, that a training has become much slower than it was."""

    def __init__(self) -> None:
        self.best, self.slow, self.said = 0.0, 0, False

    def remark(self, pace: float, threads: int, seconds: float) -> str | None:
        """A sentence when the pace of two ticks running is below half of the best, and never again. `seconds` is a tick's length."""
        if seconds < SHORT:
            return None
        self.best = max(self.best, pace)
        self.slow = self.slow + 1 if pace < SLOW * self.best else 0
        if self.slow < 2 or self.said:
            return None
        self.said = True
        advice = ""
        if threads > 1:
            advice = (
                f"; its {threads} threads wait for each other, so --resume with --threads 1 may go faster (from there on, "
                "sums are rounded differently)"
            )
        return (
            f"The pace has fallen from {self.best:,.0f} to {pace:,.0f} samples a second: probably other programs use this machine"
            f"{advice}."
        )
