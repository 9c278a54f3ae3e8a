"""A headless Chromium for tests and benchmarks, spoken to through two pipes by its own DevTools protocol.

It needs no package, opens no port and loads nothing: pages are files, and its switches forbid the rest.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PATIENCE = 60.0
"""Seconds that an answer may take."""
SWITCHES = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-extensions", "--disable-sync", "--hide-scrollbars",
    "--disable-dev-shm-usage", "--force-color-profile=srgb", "--font-render-hinting=none",
)  # fmt: skip
READY = """
new Promise((done) => {
  const wait = () => {
    const all = (what) => document.querySelectorAll(what).length;
    const drawn = all("figure svg") === all(".sd-save") && all(".sd-data") === all(".sd-data > .sd-pager");
    if (!all("body > script") || drawn) done(true); else setTimeout(wait, 20);
  };
  wait();
})
"""
"""Whether the page's own script has done its work."""


def find_program() -> str | None:
    """Path of the browser of this machine, if there is one."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Chromium:
    """One browser; ``open`` gives a page of its own. Use it in a ``with``."""

    def __init__(self, program: str, profile: Path) -> None:
        """Start ``program`` with the folder ``profile`` as its home."""
        to_child, self._out = os.pipe()
        self._in, from_child = os.pipe()
        command = [program, *SWITCHES, f"--user-data-dir={profile}", "--remote-debugging-pipe", "about:blank"]
        # The browser reads commands from descriptor 3 and answers on descriptor 4.
        shell = f'exec "$@" 3<&{to_child} 4>&{from_child}'
        self._process = subprocess.Popen(
            ["bash", "-c", shell, "-", *command],
            pass_fds=(to_child, from_child),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_child)
        os.close(from_child)
        self._buffer, self._number = b"", 0
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Chromium:
        """This browser."""
        return self

    def __exit__(self, *error: object) -> None:
        """End it."""
        self.close()

    def close(self) -> None:
        """End the browser."""
        with contextlib.suppress(OSError, RuntimeError):
            self.call("Browser.close")
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._out)
        os.close(self._in)

    def call(self, method: str, session: str | None = None, **parameters: object) -> dict[str, Any]:
        """What the browser answers to a command of its protocol. RuntimeError if it refuses or is silent."""
        self._number += 1
        words: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if session:
            words["sessionId"] = session
        self._write(json.dumps(words).encode() + b"\0")
        until = time.monotonic() + PATIENCE
        while True:
            message = self.read(until)
            if message.get("id") == self._number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']['message']}")
                result: dict[str, Any] = message["result"]
                return result
            self.events.append(message)

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._out, data) :]

    def read(self, until: float) -> dict[str, Any]:
        """The next message. RuntimeError when none comes until then (by ``time.monotonic``)."""
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._in], [], [], max(0.0, until - time.monotonic()))
            chunk = os.read(self._in, 1 << 20) if ready else b""
            if not chunk:
                raise RuntimeError("the browser does not answer")
            self._buffer += chunk
        text, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        return message

    def wait_for(self, method: str, session: str) -> dict[str, Any]:
        """The first event of that name of a page, and its parameters."""
        until = time.monotonic() + PATIENCE
        while True:
            for i, event in enumerate(self.events):
                if event.get("method") == method and event.get("sessionId") == session:
                    found: dict[str, Any] = self.events.pop(i).get("params", {})
                    return found
            self.events.append(self.read(until))

    def open(
        self, path: Path, width: int = 1280, height: int = 900, *, dark: bool = False, script: bool = True
    ) -> Tab:
        """The page in the file, as wide as said, once its own script has run."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        tab = Tab(self, target, session)
        for domain in ("Page", "Runtime", "Log"):
            tab.call(f"{domain}.enable")
        tab.call("Emulation.setScriptExecutionDisabled", value=not script)
        tab.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=width < 500,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        tab.call("Emulation.setEmulatedMedia", features=[scheme])
        tab.call("Page.navigate", url=path.resolve().as_uri())
        self.wait_for("Page.loadEventFired", session)
        if script:
            tab.evaluate(READY)
        return tab


class Tab:
    """One page that is open."""

    def __init__(self, browser: Chromium, target: str, session: str) -> None:
        """Made by ``Chromium.open``."""
        self._browser, self._target, self._session = browser, target, session

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """A command of the protocol to this page."""
        return self._browser.call(method, self._session, **parameters)

    def evaluate(self, expression: str) -> Any:
        """The value of an expression, awaited. RuntimeError with what it threw."""
        found = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in found:
            detail = found["exceptionDetails"]
            raise RuntimeError(str(detail.get("exception", {}).get("description") or detail["text"]))
        return found["result"].get("value")

    def run(self, body: str) -> Any:
        """What the body of an async function returns, run in the page."""
        return self.evaluate(f"(async () => {{ {body} }})()")

    def violations(self, axe: str) -> list[str]:
        """What axe-core finds with everything opened that opens: rule, element, and what is wrong."""
        self.run("for (const part of document.querySelectorAll('details')) part.open = true;")
        self.run("for (const one of [...document.querySelectorAll('.sd-opener')].slice(0, 2)) one.click();")
        self.evaluate(f"{axe}; 0")
        found = self.run(
            "const { violations } = await axe.run(document); "
            "return violations.flatMap((rule) => rule.nodes.map((node) => "
            "`${rule.id}: ${node.html.slice(0, 200)}: ${node.failureSummary}`));"
        )
        return [str(one) for one in found]

    @property
    def console(self) -> list[str]:
        """Errors and warnings so far, those of the security policy included."""
        said = []
        for event in self._browser.events:
            if event.get("sessionId") != self._session:
                continue
            parameters: Mapping[str, Any] = event.get("params", {})
            if event["method"] == "Runtime.exceptionThrown":
                said.append(str(parameters["exceptionDetails"].get("text")))
            elif event["method"] == "Runtime.consoleAPICalled":
                said.append(" ".join(str(one.get("value")) for one in parameters["args"]))
            elif event["method"] == "Log.entryAdded":
                said.append(str(parameters["entry"]["text"]))
        return said

    def print(self, on_paper: bool = True) -> None:
        """Show the page as on paper, or on the screen again."""
        self.call("Emulation.setEmulatedMedia", media="print" if on_paper else "screen")

    def screenshot(self, path: Path, *, whole: bool = False, quality: int = 80) -> None:
        """A picture of what is in sight, or of the whole page, by suffix PNG or WebP."""
        kind = path.suffix.removeprefix(".")
        options: dict[str, object] = {} if kind == "png" else {"quality": quality}
        found = self.call(
            "Page.captureScreenshot", format=kind, captureBeyondViewport=whole, **self._clip(whole), **options
        )
        path.write_bytes(base64.b64decode(found["data"]))

    def _clip(self, whole: bool) -> dict[str, object]:
        if not whole:
            return {}
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        return {"clip": {**size, "scale": 1}}

    def pdf(self, path: Path) -> None:
        """The page printed to a file."""
        found = self.call("Page.printToPDF", printBackground=False)
        path.write_bytes(base64.b64decode(found["data"]))

    def close(self) -> None:
        """Close the page and forget what it said."""
        self._browser.call("Target.closeTarget", targetId=self._target)
        self._browser.events = [e for e in self._browser.events if e.get("sessionId") != self._session]
