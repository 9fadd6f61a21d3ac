"""The demo's processes: started in the background, watched, and ended with all they started themselves."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

PATIENCE: Final = 15.0
"""Seconds a process is given to end by itself."""


class DemoError(RuntimeError):
    """The demo can't go on; the message says which part failed, and where its log is."""


class Processes:
    """Processes that live as long as the ``with`` block. Each has a log file of its own."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def __enter__(self) -> Self:
        """Nothing runs yet."""
        self._logs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End what runs, the last started first."""
        for name, _ in reversed(self._running[:]):
            self.stop(name)

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a process in a session of its own, so that Ctrl-C reaches only us and we end it in order."""
        log = self.log(name)
        with log.open("ab") as errors, self.answers(name).open("wb") as answers:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=answers,
                stderr=errors,
                env={**os.environ, **environment},
                start_new_session=True,
            )
        self._running.append((name, process))

    def log(self, name: str) -> Path:
        """Where a process's messages go."""
        return self._logs / f"{name}.log"

    def answers(self, name: str) -> Path:
        """Where what a process prints goes."""
        return self._logs / f"{name}.out"

    def answer(self, name: str, timeout: float) -> dict[str, Any]:
        """The JSON line a process printed. Raises :class:`DemoError` when it ends, or none comes in time."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            *lines, _unfinished = self.answers(name).read_text().split("\n")
            if lines:
                answer: dict[str, Any] = json.loads(lines[-1])
                return answer
            self.check()
            time.sleep(0.1)
        raise DemoError(f"{name} did not answer within {timeout:.0f} s; see {self.log(name)}")

    def ended(self, name: str) -> bool:
        """Whether a process has come to its end, which is no failure."""
        return self._process(name).poll() == 0

    def check(self) -> None:
        """Raise :class:`DemoError` when a process has failed."""
        for name, process in self._running:
            if process.poll() not in (None, 0):
                last = "\n".join(self.log(name).read_text(errors="replace").splitlines()[-8:])
                raise DemoError(
                    f"{name} ended with {process.returncode}; its log is {self.log(name)}\n{last}"
                )

    def stop(self, name: str) -> None:
        """Ask a process to end, then make it, and whatever it has started."""
        process = self._process(name)
        self._running = [(other, one) for other, one in self._running if other != name]
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE)
        # The session's other processes share its group; the group is gone when the last of them is.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
            time.sleep(0.5)
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def _process(self, name: str) -> subprocess.Popen[bytes]:
        return next(process for other, process in self._running if other == name)


def command(module: str, *arguments: str) -> list[str]:
    """The command line of a Python module, in our own interpreter."""
    return [sys.executable, "-m", module, *arguments]
