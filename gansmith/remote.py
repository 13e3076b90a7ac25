"""A model on a server as if it were here: `gansmith.connect("http://127.0.0.1:8000")`."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from gansmith.data.values import Examples, Frames, Name, Seed, Speed, Truncation, checked
from gansmith.errors import UserError

MOST = 2**31
"""The longest answer in bytes."""


@checked
def connect(url: Name, model: Name | None = None, *, token: str | None = None, seconds: float = 300) -> RemoteModel:
    """The model of this name on a server of `gansmith serve`, or its only one.

    Raises UserError if the server cannot be reached, refuses, or offers several models and none is named.
    """
    server = _Server(url, token, seconds)
    names = [each["name"] for each in json.loads(server.ask("GET", "/models"))]
    if model is None and len(names) != 1:
        first = names[0] if names else "NAME"
        raise UserError(f"{url} offers {len(names)} models ({', '.join(names[:20])}): name one, such as connect(url, {first!r}).")
    name = model or names[0]
    if name not in names:
        raise UserError(f"{url} offers no model {name!r}, but {', '.join(names[:20])}: name one of them.")
    return RemoteModel(server, name)


class RemoteModel:
    """A model that a server computes; the examples are those of `Model` for the same seed."""

    def __init__(self, server: _Server, name: str) -> None:
        from gansmith import kinds

        self._server, self.name = server, name
        self._path = f"/models/{quote(name)}"
        facts = json.loads(server.ask("GET", f"{self._path}/codec"))
        self.codec: Any = kinds.load_codec(facts["codec"])
        self.card: dict[str, Any] = facts["card"]
        self.about: dict[str, Any] = json.loads(server.ask("GET", self._path))
        """What the model makes, and what can be asked of it."""

    @checked
    def sample(
        self,
        n: Examples,
        *,
        seed: Seed = 0,
        truncation: Truncation = 1.0,
        where: Mapping[str, str] | None = None,
        **conditions: str,
    ) -> dict[str, Any]:
        """n generated examples as tensors [n, ...] under the codec's keys."""
        import numpy as np
        import torch

        content = self._generated(n, seed, truncation, {**(where or {}), **conditions}, "packed")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return {key: torch.from_numpy(arrays[key]) for key in arrays.files}

    @checked
    def generate(
        self,
        n: Examples = 64,
        *,
        seed: Seed = 0,
        truncation: Truncation = 1.0,
        where: Mapping[str, str] | None = None,
        **conditions: str,
    ) -> list[Any]:
        """n generated examples in the codec's raw form, as `Model.generate` makes them."""
        from gansmith.data.codec import Numbers
        from gansmith.watch.shown import Examples as Shown

        raws = self.codec.decode(self.sample(n, seed=seed, truncation=truncation, where=where, **conditions))
        return Shown(self.codec.numbered(raws) if isinstance(self.codec, Numbers) else raws, self.codec)

    @checked
    def file(
        self, format: Name, n: Examples = 64, *, seed: Seed = 0, truncation: Truncation = 1.0,
        where: Mapping[str, str] | None = None, **conditions: str,
    ) -> bytes:  # fmt: skip
        """n generated examples as a file of one of `about["formats"]`: the bytes that `gansmith generate --out NAME.FORMAT` writes."""
        return self._generated(n, seed, truncation, {**(where or {}), **conditions}, format)

    @checked
    def rows(
        self, n: Examples = 50, *, seed: Seed = 0, where: Mapping[str, str] | None = None, **conditions: str
    ) -> list[dict[str, Any]]:
        """n generated rows as dictionaries, of a model of tables; of series, one for each step."""
        return json.loads(self._generated(n, seed, 1.0, {**(where or {}), **conditions}, "json"))

    def translate(self, given: Any, name: str | None = None, **options: Any) -> list[bytes]:
        """What the model makes of a file: the bytes of the files of the result.

        `given` is a path, or bytes with a name whose suffix says what they are, or a picture of Pillow. Options are those of
        `gansmith translate`; paths among them are sent as files.
        """
        files = {"file": _sent(given, name)}
        sent = {key: _sent(value, None) for key, value in options.items() if isinstance(value, Path)}
        fields = {"options": json.dumps({key: value for key, value in options.items() if key not in sent})}
        return self._files(self._server.post_form(f"{self._path}/translate", fields, files | sent))

    @checked
    def speak(self, text: str, *, speed: Speed = 1.0, vocoder: Name | None = None) -> bytes:
        """The text as speech, a WAV file; `vocoder` is another model of the server that makes the wave."""
        return self._posted("speak", text=text, speed=speed, **({"vocoder": vocoder} if vocoder else {}))

    @checked
    def interpolate(self, seeds: Name = "1-4", *, frames: Frames = 48, format: Name = "gif", **how: Any) -> bytes:
        """A film that walks between seeds: .gif or .mp4. `how` are path, per_second, truncation and where."""
        return self._posted("interpolate", seeds=seeds, frames=frames, format=format, **how)

    def project(self, given: Any, name: str | None = None, *, steps: int = 300, seed: int = 0) -> list[bytes]:
        """The place of a picture in the latent space: a sheet with the real, the found and a random one (.png), and the latent (.npz)."""
        fields = {"steps": str(steps), "seed": str(seed)}
        return self._files(self._server.post_form(f"{self._path}/project", fields, {"file": _sent(given, name)}))

    def _posted(self, what: str, **asked: Any) -> bytes:
        return self._server.ask("POST", f"{self._path}/{what}", json.dumps(asked).encode(), {"Content-Type": "application/json"})

    def _files(self, answer: bytes) -> list[bytes]:
        return [self._server.ask("GET", each["url"].removeprefix("/api/v1")) for each in json.loads(answer)["files"]]

    def _generated(self, n: int, seed: int, truncation: float, where: Mapping[str, Any], form: str) -> bytes:
        asked = {
            "n": n,
            "seed": seed,
            "truncation": truncation,
            "where": {key: str(value) for key, value in where.items()},
            "format": form,
        }
        return self._posted("generate", **asked)


def _sent(given: Any, name: str | None) -> tuple[str, bytes]:
    """The name and bytes of what is sent. Raises UserError for what is no file, no bytes with a name, and no picture."""
    if isinstance(given, bytes) and name is not None:
        return name, given
    if isinstance(given, str | Path):
        try:
            return name or Path(given).name, Path(given).read_bytes()
        except OSError as error:
            raise UserError(f"{given} cannot be read ({error.strerror}): give the path of a file.") from error
    if hasattr(given, "save"):
        content = io.BytesIO()
        given.save(content, "PNG")
        return name or "picture.png", content.getvalue()
    raise UserError(f"give a path, bytes with a name, or a picture of Pillow, not {type(given).__name__}.")


class _Server:
    """HTTP to one server; redirections are not followed."""

    def __init__(self, url: str, token: str | None, seconds: float) -> None:
        place = urlsplit(url)
        if place.scheme not in ("http", "https") or not place.hostname:
            raise UserError(f"a server is named by an address such as http://127.0.0.1:8000, not {url!r}.")
        self.url, self.place, self.seconds = url, place, seconds
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def ask(self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> bytes:
        """The body of an answer. Raises UserError with the server's sentence where it refuses."""
        shape = HTTPSConnection if self.place.scheme == "https" else HTTPConnection
        connection = shape(self.place.hostname or "", self.place.port, timeout=self.seconds)
        try:
            connection.request(method, f"{self.place.path.rstrip('/')}/api/v1{path}", body, {**self.headers, **(headers or {})})
            answer = connection.getresponse()
            content = answer.read(MOST)
        except (OSError, HTTPException) as error:
            raise UserError(
                f"{self.url} does not answer ({error}): start it with gansmith serve RUN, or check the address."
            ) from error
        finally:
            connection.close()
        if answer.status >= 300:
            raise UserError(_refusal(self.url, answer, content))
        return content

    def post_form(self, path: str, fields: Mapping[str, str], files: Mapping[str, tuple[str, bytes]]) -> bytes:
        """Posts fields and files as multipart/form-data."""
        edge = "----gansmith-7b1f0a"
        while any(edge.encode() in content for _, content in files.values()):
            edge += "-"
        parts = [
            f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
        ]
        for name, (called, content) in files.items():
            head = f'--{edge}\r\nContent-Disposition: form-data; name="{name}"; filename="{quote(called)}"\r\n\r\n'
            parts += [head.encode(), content, b"\r\n"]
        body = b"".join([*parts, f"--{edge}--\r\n".encode()])
        return self.ask("POST", path, body, {"Content-Type": f"multipart/form-data; boundary={edge}"})


def _refusal(url: str, answer: HTTPResponse, content: bytes) -> str:
    try:
        return str(json.loads(content)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"{url} answers {answer.status} {answer.reason}, as no server of gansmith does: check the address."
