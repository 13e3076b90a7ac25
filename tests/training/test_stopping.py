"""Requests to stop are told once, a second one ends what is done, and where Python cannot answer the process ends all the same."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from gansmith.training import stopping
from gansmith.training.stopping import Stopped, listening

LONG = "hashlib.pbkdf2_hmac('sha256', b'', b'', 10**9)"  # minutes in C, in which Python runs no handler
PROGRAM = """
import hashlib, os, signal, sys, threading, time
from gansmith.training import stopping
stopping.PATIENCE, stopping.GRACE = 0.4, 0.4

def send(number, after):
    threading.Timer(after, os.kill, (os.getpid(), number)).start()

def ask(name):
    print("asked by", name, flush=True)
"""


def ended(body: str) -> tuple[int, str, str, float]:
    """Exit status, output, errors and seconds of a program."""
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", PROGRAM + body], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr, time.monotonic() - began


def test_the_first_request_is_told_and_the_second_one_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "ECHO", 0.05)
    asked: list[str] = []
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup would have it ignored
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    with listening(asked.append):
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGTERM)  # at once: the same request
        assert asked == ["SIGHUP"]
        time.sleep(0.1)
        with pytest.raises(Stopped, match="SIGTERM"):
            os.kill(os.getpid(), signal.SIGTERM)
    assert {number: signal.getsignal(number) for number in before} == before
    assert issubclass(Stopped, KeyboardInterrupt), "no `except Exception` may swallow it"


def test_one_listener_may_lie_in_another(monkeypatch: pytest.MonkeyPatch) -> None:
    outer: list[str] = []
    inner: list[str] = []
    with listening(outer.append):
        with listening(inner.append):
            os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
    assert (outer, inner) == (["SIGINT"], ["SIGINT"])


def test_outside_the_main_thread_signals_are_somebody_elses() -> None:
    said: list[object] = []

    def work() -> None:
        with listening(lambda name: None) as listener:
            said.append(listener)

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert said and signal.getsignal(signal.SIGTERM) == before


def test_a_request_that_python_cannot_answer_ends_the_process_in_a_sentence() -> None:
    status, out, said, seconds = ended(f"send(signal.SIGTERM, 0.1)\nwith stopping.listening(ask):\n    {LONG}\n")
    assert (status, out) == (130, "") and seconds < 20
    assert said == "gansmith: ended at once, as SIGTERM could not be answered: what was saved before is whole.\n"


def test_what_is_answered_may_take_its_time_but_a_second_request_ends_it() -> None:
    wait = "with stopping.listening(ask) as listener:\n    os.kill(os.getpid(), signal.SIGTERM)\n    listener.answered()\n"
    assert ended(wait + "    time.sleep(1)\nprint('saved')")[:2] == (0, "asked by SIGTERM\nsaved\n")
    status, out, said, _ = ended(wait + f"    send(signal.SIGTERM, 0.4)\n    {LONG}\n")
    assert (status, out) == (130, "asked by SIGTERM\n") and "could not be answered" in said


def test_nohup_lets_it_live() -> None:
    body = (
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\nwith stopping.listening(ask):\n    os.kill(os.getpid(), signal.SIGHUP)\n"
    )
    assert ended(body + "print('alive')")[:2] == (0, "alive\n")
