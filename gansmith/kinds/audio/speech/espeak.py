"""IPA phonemes of any language by espeak-ng, an optional extra (GPL): called through its C library, never copied."""

from __future__ import annotations

import ctypes
from functools import cache

from gansmith.errors import UserError, missing_extra

_SYNCHRONOUS, _NO_EXIT = 2, 0x8000
_UTF8, _IPA = 1, 2


@cache
def _library() -> ctypes.CDLL:
    try:
        import espeakng_loader  # pyright: ignore[reportMissingImports], an extra
    except ImportError as error:
        raise missing_extra("espeakng-loader", "espeak", "reading this language") from error
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, str(espeakng_loader.get_data_path()).encode(), _NO_EXIT)
    if rate <= 0:
        raise UserError("espeak-ng does not start: install it anew with pip install --force-reinstall espeakng-loader.")
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    library.espeak_TextToPhonemes.argtypes = [ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int]
    return library


def ipa(text: str, language: str) -> str:
    """The phonemes of a clause without punctuation. Raises UserError for a language that espeak-ng does not have."""
    library = _library()
    if library.espeak_SetVoiceByName(language.encode()) != 0:
        raise UserError(f"espeak-ng has no language {language!r}: give one of its codes, such as de, fr, es, ru, it or pt-br.")
    rest = ctypes.c_char_p(text.encode())
    parts = []
    while rest.value:
        part = library.espeak_TextToPhonemes(ctypes.byref(rest), _UTF8, _IPA)
        parts.append((part or b"").decode())
    return " ".join(parts)
