"""A real headless Chromium for tests, driven over its debugging pipe (DevTools protocol), standard library only.

`look(url)` gives what a person would see go wrong: every request with its status, every console message and exception.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Browser", "Page", "Visit", "chromium_browser"]

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-sync",
    "--remote-debugging-pipe",
)
_PATIENCE_S = 60  # for one answer


@dataclass
class Visit:
    """What one page did. requests: URL → status, 0 if it failed; failures: with the browser's reason.

    received: URL → bytes that came over the network, headers with them; 0 for what the browser's cache held.
    """

    requests: dict[str, int] = field(default_factory=dict)
    received: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    @property
    def received_bytes(self) -> int:
        """What came over the network."""
        return sum(self.received.values())

    @property
    def problems(self) -> list[str]:
        """Everything that a clean page has none of."""
        bad = [f"{status} {url}" for url, status in self.requests.items() if status >= 400]
        return sorted(bad) + self.failures + self.console


class Page:
    """A page that is open."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session

    def value(self, expression: str) -> Any:
        """Return the value of a JavaScript expression."""
        return self._browser.ask(expression, self._session)

    def until(self, condition: str) -> None:
        """Return when `condition` holds, in this document or in one that the page loads; fail after twenty seconds."""
        end = time.monotonic() + 20
        waiting = f"new Promise((done) => setTimeout(() => done(!!({condition})), 10))"
        while not self.value(waiting):
            assert time.monotonic() < end, f"never came true: {condition}"

    @property
    def console(self) -> list[str]:
        """What the page has said as errors and warnings so far."""
        return self._browser.said(self._session)


class Browser:
    """One Chromium process."""

    def __init__(self, chromium: str, profile: str) -> None:
        to_browser, self._send = os.pipe()
        self._receive, from_browser = os.pipe()
        command = f'exec "$0" "$@" 3<&{to_browser} 4>&{from_browser}'
        self._process = subprocess.Popen(
            ["/bin/bash", "-c", command, chromium, *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(to_browser, from_browser),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._rest = b""
        self._number = 0
        self._events: list[dict[str, Any]] = []

    def look(self, url: str, *expressions: str, ready: str = "document.readyState === 'complete'") -> Visit:
        """Return what happened while `url` loaded and until `ready` held; `values` of JavaScript expressions."""
        target = self._call("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self._call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        for domain in ("Network", "Page", "Runtime", "Log"):
            self._call(f"{domain}.enable", {}, session)
        self._events.clear()
        self._call("Page.navigate", {"url": url}, session)
        waiting = (
            f"new Promise((done) => {{ const end = Date.now() + 20000; (function again() {{"
            f" if ({ready}) requestAnimationFrame(() => setTimeout(done, 50)); else if (Date.now() > end) done('late');"
            f" else setTimeout(again, 20) }})() }})"
        )
        self._wait_for("Page.loadEventFired")
        late = self._evaluate(waiting, session)
        values = [self._evaluate(expression, session) for expression in expressions]
        visit = self._visit([event for event in self._events if event.get("sessionId") == session])
        visit.values = values
        if late:
            visit.console.append(f"never became ready: {ready}")
        self._call("Target.closeTarget", {"targetId": target})
        return visit

    @contextlib.contextmanager
    def page(self, url: str, *, has_cache: bool = True) -> Iterator[Page]:
        """Give a page at `url` that stays open while the test works on. has_cache: else it asks for everything anew."""
        target = self._call("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self._call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        for domain in ("Network", "Page", "Runtime"):
            self._call(f"{domain}.enable", {}, session)
        self._call("Network.setCacheDisabled", {"cacheDisabled": not has_cache}, session)
        self._call("Page.navigate", {"url": url}, session)
        yield Page(self, session)
        self._call("Target.closeTarget", {"targetId": target})

    def ask(self, expression: str, session: str) -> Any:
        """Return the value of an expression, None if the page was left meanwhile; a promise is waited for."""
        self._number += 1
        params = {"expression": expression, "awaitPromise": True, "returnByValue": True}
        message = {"id": self._number, "method": "Runtime.evaluate", "params": params, "sessionId": session}
        return self._answer(message).get("result", {}).get("result", {}).get("value")

    def said(self, session: str) -> list[str]:
        """Return what the page has said as an error since it was opened."""
        return self._visit([event for event in self._events if event.get("sessionId") == session]).console

    def close(self) -> None:
        """End the process and everything it started."""
        os.close(self._send)
        os.close(self._receive)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _evaluate(self, expression: str, session: str) -> Any:
        asked = {"expression": expression, "awaitPromise": True, "returnByValue": True}
        return self._call("Runtime.evaluate", asked, session)["result"].get("value")

    def _call(self, method: str, params: dict[str, Any], session: str = "") -> Any:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        answer = self._answer(message)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def _answer(self, message: dict[str, Any]) -> dict[str, Any]:
        os.write(self._send, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + _PATIENCE_S
        while (answer := self._next(end)).get("id") != message["id"]:
            pass
        return answer

    def _wait_for(self, method: str) -> None:
        end = time.monotonic() + _PATIENCE_S
        while not any(event["method"] == method for event in self._events):
            self._next(end)

    def _next(self, end: float) -> dict[str, Any]:
        while b"\0" not in self._rest:
            readable, _, _ = select.select([self._receive], [], [], max(0, end - time.monotonic()))
            assert readable, f"chromium did not answer within {_PATIENCE_S} s"
            chunk = os.read(self._receive, 1 << 16)
            assert chunk, "chromium ended"
            self._rest += chunk
        message, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        if "method" in found:
            self._events.append(found)
        return found

    def _visit(self, events: list[dict[str, Any]]) -> Visit:
        visit, urls = Visit(), {}
        for event in events:
            params = event["params"]
            match event["method"]:
                case "Network.requestWillBeSent":
                    urls[params["requestId"]] = params["request"]["url"]
                case "Network.responseReceived":
                    visit.requests[params["response"]["url"]] = params["response"]["status"]
                case "Network.loadingFinished":
                    url = urls.get(params["requestId"], "")
                    visit.received[url] = visit.received.get(url, 0) + params["encodedDataLength"]
                case "Network.loadingFailed":
                    visit.failures.append(f"{params['errorText']} {urls.get(params['requestId'], '')}")
                case "Runtime.consoleAPICalled" if params["type"] in ("error", "warning", "assert"):
                    visit.console.append(" ".join(str(each.get("value", "")) for each in params["args"]))
                case "Runtime.exceptionThrown":
                    details = params["exceptionDetails"]
                    visit.console.append(details.get("exception", {}).get("description", details["text"]))
                case "Log.entryAdded" if params["entry"]["level"] in ("error", "warning"):
                    visit.console.append(params["entry"]["text"])
        return visit


@contextlib.contextmanager
def chromium_browser(chromium: str) -> Iterator[Browser]:
    """Give a browser with an empty profile, for as long as the caller likes; at the end its processes are gone."""
    profile = tempfile.mkdtemp(prefix="browser-")
    browser = Browser(chromium, profile)
    try:
        yield browser
    finally:
        browser.close()
        shutil.rmtree(profile, ignore_errors=True)
