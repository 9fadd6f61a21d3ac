"""A place to run ``azmdr`` in: an empty folder, settings in the environment, and the lab's Azure over TLS."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.command_line import CommandLine
from tests.commands.lab_over_tls import LabOverTls


@pytest.fixture
def azmdr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """The command, in a folder of its own, with a store and nothing else set."""
    for name in [name for name in os.environ if name.startswith("AZMDR_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    command = CommandLine(f"sqlite:///{tmp_path / 'state.sqlite'}")
    monkeypatch.setenv("AZMDR_STORE_URL", command.store_url)
    return command


@pytest.fixture
def lab(azmdr: CommandLine, monkeypatch: pytest.MonkeyPatch) -> Iterator[LabOverTls]:
    """The lab's Azure with two customers that are in the registry too."""
    pytest.importorskip("trustme", reason="the lab's Azure makes its certificates with trustme")
    with LabOverTls() as lab:
        for name, value in lab.environment.items():
            monkeypatch.setenv(name, value)
        for customer in lab.customers:
            azmdr.add(customer)
        yield lab
