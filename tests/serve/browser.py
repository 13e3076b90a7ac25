"""Chromium, driven through a pipe by its own protocol: no package between."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--remote-debugging-pipe", "--lang=en-US"),
)
SECONDS = float(os.environ.get("GANSMITH_BROWSER_SECONDS", "120"))


def binary() -> str | None:
    """Where Chromium is, if it is installed."""
    return next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)


class Browser:
    """One tab."""

    def __init__(self) -> None:
        program = binary()
        assert program is not None
        self.folder = tempfile.mkdtemp(prefix="gansmith-browser-")
        theirs, ours = map(_high, os.pipe())
        self.read_end, answers = map(_high, os.pipe())
        self.write_end = ours

        def ends() -> None:
            os.dup2(theirs, 3)
            os.dup2(answers, 4)

        self.process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={self.folder}", "about:blank"],
            preexec_fn=ends,
            close_fds=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs)
        os.close(answers)
        self.received, self.number, self.session = b"", 0, None
        self.events: list[dict[str, Any]] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log", "DOM"):
            self.ask(f"{domain}.enable")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.read_end)
        os.close(self.write_end)
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self.number += 1
        message: dict[str, Any] = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self.number:
                assert "error" not in answer, (method, answer)
                return answer["result"]
            self.events.append(answer)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self.received:
            assert select.select([self.read_end], [], [], SECONDS)[0], "Chromium does not answer"
            self.received += os.read(self.read_end, 2**20)
        message, _, self.received = self.received.partition(b"\0")
        return json.loads(message)

    def value(self, code: str) -> Any:
        """What an expression is in the page, promises included."""
        answer = self.ask("Runtime.evaluate", expression=code, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, code: str) -> Any:
        """What an expression is as soon as it is true; what it needs may not be there at first."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            answer = self.ask("Runtime.evaluate", expression=code, awaitPromise=True, returnByValue=True)
            if "exceptionDetails" not in answer and (found := answer["result"].get("value")):
                return found
            time.sleep(0.03)
        raise AssertionError(f"never true: {code}")

    def open(self, url: str, ready: str = "document.querySelector('.page[data-ready]') !== null") -> None:
        self.ask("Page.navigate", url=url)
        self.until(ready)

    def size(self, width: int, height: int) -> None:
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)

    def click(self, text: str) -> None:
        """The first button with this text."""
        self.value(
            f"[...document.querySelectorAll('button')].find((one) => one.textContent.trim() === {json.dumps(text)}).click()"
        )

    def upload(self, selector: str, path: Path) -> None:
        root = self.ask("DOM.getDocument")["root"]["nodeId"]
        node = self.ask("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.ask("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def picture(self, path: Path) -> None:
        """The whole page as a PNG."""
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 4000), "scale": 1}
        path.write_bytes(base64.b64decode(self.ask("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"]))

    def complaints(self) -> list[str]:
        """Errors since the last call, those of the policy included."""
        found = []
        for event in self.events:
            said = event.get("params", {})
            if event.get("method") == "Runtime.exceptionThrown":
                found.append(str(said["exceptionDetails"]))
            elif event.get("method") == "Log.entryAdded" and said["entry"]["level"] == "error":
                found.append(f"{said['entry']['text']} {said['entry'].get('url', '')}")
        return found

    def asked_for(self) -> set[str]:
        """The addresses that pages asked for."""
        return {event["params"]["request"]["url"] for event in self.events if event.get("method") == "Network.requestWillBeSent"}


def _high(descriptor: int) -> int:
    """The same end of a pipe above the numbers that Chromium is given."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 20)
    os.close(descriptor)
    return moved
