"""Standard MIDI files: read onto a grid of steps, and written."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator

from gansmith.errors import UserError
from gansmith.kinds.music.piece import Note, Piece, Track

TRACKS = 256
"""Files of more tracks are refused."""
LONGEST = 2**20
"""Steps of the longest file."""
TICKS = 480
"""Ticks of a quarter note in files that are written."""
TEMPI = (60e6 / (2**24 - 1), 60e6)
"""The slowest and the fastest that a file can be, in beats a minute."""
VELOCITY = 80
DRUMS = 9
"""The channel of drums."""


def read_midi(content: bytes, where: str, per_beat: int = 4) -> Piece:
    """A MIDI file of format 0 or 1 with its notes on the nearest steps; a track of several channels is cut into one for each.

    Raises UserError for what is no MIDI file, is cut off, counts time in seconds, or is larger than the limits.
    """
    if content[:4] != b"MThd" or len(content) < 14:
        raise UserError(f"{where} is no MIDI file: give .mid files.")
    size, kind, count, division = struct.unpack(">IHHH", content[4:14])
    if division & 0x8000 or division == 0 or kind == 2:
        raise UserError(f"{where} counts its time in seconds or is of format 2, which is not read: save it as MIDI of format 1.")
    if count > TRACKS:
        raise UserError(f"{where} has {count:,} tracks, above the limit of {TRACKS}: join or remove some.")
    tracks: list[Track] = []
    facts: dict[str, float | tuple[int, int]] = {}
    last, at = 0, 8 + size
    while at + 8 <= len(content):
        name, size = content[at : at + 4], struct.unpack(">I", content[at + 4 : at + 8])[0]
        if name == b"MTrk":
            if at + 8 + size > len(content):
                raise UserError(f"{where} is cut off: a track of {size:,} bytes has only {len(content) - at - 8:,} left.")
            try:
                found, end = _track(content[at + 8 : at + 8 + size], division / per_beat, len(tracks), facts)
            except IndexError as error:
                raise UserError(
                    f"{where} is damaged: an event is longer than its track or than events can be; save it again."
                ) from error
            tracks += found
            last = max(last, end)
        at += 8 + size
    if last > LONGEST:
        raise UserError(f"{where} lasts {last:,} steps, above the limit of {LONGEST:,}: cut it, or choose fewer --steps.")
    if not any(track.notes for track in tracks):
        raise UserError(f"{where} has no notes: leave it out.")
    tempo, meter = facts.get("tempo", 120.0), facts.get("meter", (4, 4))
    assert isinstance(tempo, float) and isinstance(meter, tuple)
    return Piece(tuple(tracks), last, tempo, meter, per_beat)


def _track(events: bytes, ticks: float, number: int, facts: dict) -> tuple[list[Track], int]:
    """The tracks of one chunk, by channel, and its last step. Tempo and meter go into `facts`."""
    notes: dict[int, list[Note]] = defaultdict(list)
    open_: dict[tuple[int, int], list[int]] = defaultdict(list)
    programs: dict[int, int] = {}
    title, now = "", 0
    for now, status, data in _events(events):
        kind, channel = status & 0xF0, status & 0x0F
        if status == 0xFF:
            meta, content = data[0], data[1:]
            if meta == 0x03 and not title:
                title = content.decode("utf-8", errors="replace").strip("\0 ")
            elif meta == 0x51 and len(content) == 3 and any(content):
                facts.setdefault("tempo", 60e6 / int.from_bytes(content, "big"))
            elif meta == 0x58 and len(content) >= 2 and content[0] and content[1] < 7:
                facts.setdefault("meter", (content[0], 2 ** content[1]))
        elif kind == 0xC0:
            programs.setdefault(channel, data[0])
        elif kind == 0x90 and data[1]:
            open_[channel, data[0]].append(now)
        elif kind in (0x80, 0x90) and open_[channel, data[0]]:
            _close(notes[channel], open_[channel, data[0]].pop(0), now, data[0], ticks)
    for (channel, pitch), starts in open_.items():
        for start in starts:
            _close(notes[channel], start, now, pitch, ticks)
    several = len(notes) > 1
    made = []
    for channel, own in sorted(notes.items()):
        name = title or ("drums" if channel == DRUMS else f"track {number + 1}")
        made.append(
            Track(f"{name} {channel + 1}" if several else name, tuple(sorted(own)), programs.get(channel, 0), channel == DRUMS)
        )
    return made, round(now / ticks)


def _close(notes: list[Note], start: int, end: int, pitch: int, ticks: float) -> None:
    first = round(start / ticks)
    notes.append(Note(first, max(1, round(end / ticks) - first), pitch))


def _events(events: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(time in ticks, status, data) of every event; raises IndexError where one goes beyond the end."""
    at, now, running = 0, 0, 0
    while at < len(events):
        wait, at = _number(events, at)
        now += wait
        status = events[at]
        if status >= 0x80:
            at += 1
        else:
            status = running
        if status == 0xFF:
            meta, (size, begin) = events[at], _number(events, at + 1)
            yield now, status, bytes([meta]) + events[begin : begin + size]
            at = begin + size
        elif status in (0xF0, 0xF7):
            size, begin = _number(events, at)
            at = begin + size
        elif status >= 0x80:
            running = status
            size = 1 if status & 0xF0 in (0xC0, 0xD0) else 2
            data = events[at : at + size]
            if len(data) < size:
                raise IndexError
            yield now, status, data
            at += size
        else:
            raise IndexError


def _number(events: bytes, at: int) -> tuple[int, int]:
    """A number of 7 bits a byte, of four bytes at most, and where it ends; raises IndexError for a longer one."""
    found = 0
    for end in range(at, at + 4):
        found = found << 7 | events[end] & 0x7F
        if events[end] < 0x80:
            return found, end + 1
    raise IndexError


def write_midi(piece: Piece) -> bytes:
    """A MIDI file of format 1: a track of tempo and meter, then one for each track of the piece."""
    ticks = max(1, TICKS // piece.per_beat)
    end = piece.steps * ticks
    beats, unit = piece.meter
    head = [
        (0, b"\xff\x51\x03" + round(60e6 / piece.tempo).to_bytes(3, "big")),
        (0, bytes([0xFF, 0x58, 4, beats, unit.bit_length() - 1, 24, 8])),
    ]
    chunks = [_chunk(head, end)]
    free = iter([channel for channel in range(16) if channel != DRUMS] * (1 + len(piece.tracks) // 15))
    for track in piece.tracks:
        channel = DRUMS if track.drum else next(free)
        name = track.name.encode()[:127]
        events = [(0, bytes([0xFF, 0x03, len(name)]) + name), (0, bytes([0xC0 | channel, track.program]))]
        for note in track.notes:
            events.append((note.start * ticks, bytes([0x90 | channel, note.pitch, VELOCITY])))
            events.append(((note.start + note.length) * ticks, bytes([0x80 | channel, note.pitch, 0])))
        chunks.append(_chunk(events, end))
    return b"MThd" + struct.pack(">IHHH", 6, 1, len(chunks), ticks * piece.per_beat) + b"".join(chunks)


def _chunk(events: list[tuple[int, bytes]], end: int) -> bytes:
    """Notes end before others begin at the same time."""
    content, now = bytearray(), 0
    for time, event in sorted(events, key=lambda each: (each[0], each[1][0] & 0xF0 == 0x90)):
        content += _written(time - now) + event
        now = time
    content += _written(max(0, end - now)) + b"\xff\x2f\x00"
    return b"MTrk" + struct.pack(">I", len(content)) + bytes(content)


def _written(number: int) -> bytes:
    parts = [number & 0x7F]
    while number := number >> 7:
        parts.append(number & 0x7F | 0x80)
    return bytes(reversed(parts))
