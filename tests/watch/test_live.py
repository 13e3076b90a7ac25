import errno
import io
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gansmith.watch.arrival import Arrival
from gansmith.watch.live import Live, score_line
from gansmith.watch.moment import clock_time
from gansmith.watch.screens import Lasting, Plain, Screen

RUN = {
    "name": "digits-0001",
    "gan": "r3gan",
    "data": {"name": "digits"},
    "parameters": {"critic": 1234},
    "settings": {"samples": None},
}
COLLAPSE = {"level": "warning", "name": "collapse", "sentence": "Few modes: raise the penalty."}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def tick(samples: int, seconds: float, **facts: Any) -> dict[str, Any]:
    terms = {"critic/relativistic": 0.612, "critic/r1": float("nan")}
    return {
        "samples": samples,
        "seconds": seconds,
        "examples_per_second": 99.0,
        "terms": terms,
        "memory_mb": 812.4,
        "health": [],
    } | facts


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Terminal()


@settings(deadline=None, max_examples=40)
@given(rate=st.floats(1, 1e5), warm_up=st.floats(0, 500), start=st.integers(0, 10**6))
def test_the_time_left_ignores_a_slow_warm_up(rate, warm_up, start):
    arrival = Arrival()
    arrival.observe(start, 0.0)
    for step in range(60):
        arrival.observe(start + rate * step, warm_up + step)
    assert arrival.rate == pytest.approx(rate, rel=1e-6)
    assert arrival.left(start + rate * 159) == pytest.approx(100, rel=1e-6)
    assert arrival.left(0) == 0


def test_nothing_is_estimated_before_the_warm_up_is_over():
    arrival = Arrival()
    for step in range(20):
        arrival.observe(step, step * 0.1)
        assert arrival.rate is None and arrival.left(100) is None


def test_old_throughput_fades_and_a_lone_hiccup_hardly_counts():
    arrival = Arrival(half_life=10)
    samples = 0
    for second in range(100):
        samples += 100
        arrival.observe(samples, float(second))
    arrival.observe(samples + 10, 100.0)
    assert arrival.rate is not None and 90 < arrival.rate < 100
    for second in range(101, 200):
        samples += 50
        arrival.observe(samples + 10, float(second))
    assert arrival.rate == pytest.approx(50, rel=0.01)


def test_a_rollback_does_not_spoil_the_estimate():
    arrival = Arrival()
    for second in range(10):
        arrival.observe(100 * second, float(second))
    arrival.observe(500, 10.0)
    for second in range(11, 20):
        arrival.observe(500 + 100 * (second - 10), float(second))
    assert arrival.rate == pytest.approx(100) and arrival.left(2400) == pytest.approx(10)


def test_a_file_gets_a_plain_line_every_ten_seconds_and_the_last_one():
    stream, time = io.StringIO(), Time()
    live = Live(stream, time)
    live.started(RUN)
    for second in range(1, 26):
        time.now = float(second)
        live.progress(100 * second, 10_000, float(second))
        live.tick(tick(100 * second, second))
    live.finished("Done: report.html")
    first, *lines, last = stream.getvalue().splitlines()
    assert first == "digits-0001: r3gan on digits (critic 1,234 parameters)" and last == "Done: report.html"
    assert [line.split()[0] for line in lines] == ["0:01", "0:11", "0:21", "0:25"]
    assert lines[-1] == "0:25  25%  2,500/10,000  100/s  1:15 left  812 MB  critic/relativistic 0.612"
    assert "\x1b" not in stream.getvalue()


def test_an_alarm_is_said_when_raised_and_not_while_it_lasts():
    stream, time = io.StringIO(), Time()
    live = Live(stream, time)
    for samples, health in enumerate([[], [COLLAPSE], [COLLAPSE], [], [COLLAPSE]]):
        live.tick(tick(samples, samples, health=health))
    assert stream.getvalue().count("warning: Few modes: raise the penalty.") == 1


def test_the_terminal_shows_one_line_with_everything_under_what_was_said(terminal):
    time = Time()
    live = Live(terminal, time)
    live.started(RUN)
    for second in range(1, 26):
        time.now = float(second)
        live.progress(100 * second, 10_000, float(second))
    live.tick(tick(2500, 25.0, health=[COLLAPSE]))
    live.evaluation([{"name": "precision[digits-cnn]", "value": 0.86}])
    live.finished("Done.")
    shown = terminal.getvalue()
    for words in ("0:25", "25%", "2,500/10,000", "100/s", "1:15 left", "812 MB", "critic/relativistic 0.612", "━"):
        assert words in shown
    assert "precision[digits-cnn] 0.860" in shown and "Few modes: raise the penalty." in shown
    assert shown.rstrip().endswith("Done.")
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 1


def test_the_terminal_is_not_drawn_more_than_ten_times_a_second(terminal):
    time = Time()
    live = Live(terminal, time)
    for step in range(1000):
        time.now = step * 0.001
        live.progress(step, 1000, step * 0.001)
    assert 9 <= terminal.getvalue().count("/1,000") <= 11


def test_a_narrow_terminal_cuts_the_terms_and_keeps_one_line(terminal, monkeypatch):
    monkeypatch.setenv("COLUMNS", "70")
    live = Live(terminal, Time())
    live.tick(tick(2500, 25.0, terms={f"critic/term{index}": 1.0 for index in range(20)}))
    live.finished("Done.")
    assert "2,500 samples" in terminal.getvalue() and "…" in terminal.getvalue()
    assert "term19" not in terminal.getvalue()


def test_a_dumb_terminal_gets_plain_lines(terminal, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    live = Live(terminal, Time())
    live.tick(tick(10, 1.0))
    assert terminal.getvalue() == "0:01  10 samples  99/s  812 MB  critic/relativistic 0.612\n".replace("99/s", "99.0/s")


def test_the_folder_of_the_pictures_is_told_once():
    stream = io.StringIO()
    live = Live(stream, Time())
    for samples in (100, 200):
        live.preview(samples, Path("runs/digits-0001/samples") / f"{samples:06d}.png")
    assert stream.getvalue().count("samples") == 1


def test_a_score_is_told_with_its_companions():
    score = {"name": "fid[cnn]", "value": 12.0, "low": 11.0, "high": 13.0, "baseline": 400.0, "ceiling": 2.0, "better": "lower"}
    assert score_line(score) == "fid[cnn] 12.0 (11.0 to 13.0; baseline 400, ceiling 2.00; lower is better)"
    assert score_line({"name": "a", "value": None}) == "a not a number"


def test_clock_times():
    assert [clock_time(seconds) for seconds in (0, 42.4, 200, 3725)] == ["0:00", "0:42", "3:20", "1:02:05"]


@pytest.mark.parametrize("number", [errno.EPIPE, errno.EIO, errno.ENOSPC])
def test_a_training_goes_on_without_its_terminal(number, tmp_path):
    class Gone(io.StringIO):
        def write(self, text):
            raise OSError(number, os.strerror(number))

    live = Live(Gone(), lambda: 0.0)
    live.started({})
    live.message("still there")
    live.judging(["frechet"], 1, 2)
    live.progress(1, 2, 1.0)
    live.finished("Done")
    with (tmp_path / "log").open("w") as file:
        with Lasting(Plain(Gone(), lambda: 0.0), file)._going_on():
            raise OSError(number, "")
        file.write("after")
    assert {name for name in vars(Screen) if name[0] != "_"} <= set(vars(Lasting)), "it lacks a method of screens"
    assert (tmp_path / "log").read_text() == ("after" if number == errno.ENOSPC else "")
