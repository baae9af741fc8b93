"""A headless Chromium, told what to do over its pipe of the DevTools protocol, with the standard library only."""

import base64
import itertools
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_SECONDS = 60


def path():
    """Where the browser is; None where there is none."""
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


needed = pytest.mark.skipif(path() is None, reason="Chromium is not installed (apt-get install chromium)")


class Browser:
    """One page at a time, and what its console said."""

    def __init__(self, profile: Path):
        asked, self._asking = os.pipe()
        self._answering, answered = os.pipe()
        flags = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe")
        command = [path(), *flags, f"--user-data-dir={profile}", "about:blank"]
        spare = [os.dup2(asked, 200), os.dup2(answered, 201)]
        shell = ["bash", "-c", 'exec "$@" 3<&200 4>&201', "bash", *command]
        self._process = subprocess.Popen(shell, pass_fds=spare, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for each in (asked, answered, *spare):
            os.close(each)
        self._numbers, self._rest, self.console = itertools.count(1), b"", []
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._ask(f"{domain}.enable")

    def open(self, file: Path, width: int = 1280, script: bool = True):
        """Load a file in a window of this width, whole."""
        self.console.clear()
        self._ask("Emulation.setScriptExecutionDisabled", value=not script)
        self._ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self._loaded = False
        self._ask("Page.navigate", url=file.resolve().as_uri())
        while not self._loaded:
            self._read()

    def value(self, expression: str):
        """What an expression is on the page."""
        found = self._ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def pdf(self) -> bytes:
        """The page as it is printed."""
        return base64.b64decode(self._ask("Page.printToPDF", preferCSSPageSize=True)["data"])

    def close(self):
        """End it."""
        self._process.kill()
        self._process.wait(_SECONDS)
        os.close(self._asking)
        os.close(self._answering)

    def _ask(self, method: str, **parameters):
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if hasattr(self, "_session"):
            message["sessionId"] = self._session
        os.write(self._asking, json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != number:
            pass
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    def _read(self):
        while b"\0" not in self._rest:
            more = os.read(self._answering, 1 << 20)
            assert more, "the browser has ended"
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\0")
        message = json.loads(line)
        self._note(message.get("method"), message.get("params", {}))
        return message

    def _note(self, method, parameters):
        self._loaded = getattr(self, "_loaded", False) or method == "Page.loadEventFired"
        if method == "Log.entryAdded":
            self.console.append(parameters["entry"]["text"])
        elif method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
            self.console.append(json.dumps(parameters))
        elif method == "Network.requestWillBeSent" and not parameters["request"]["url"].startswith(("file:", "data:")):
            self.console.append(f"asks for {parameters['request']['url']}")
