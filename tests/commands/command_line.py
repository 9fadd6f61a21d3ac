"""The command line as a person uses it: what goes in, what comes out, and what stands in the store then."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any, Final

from click.testing import CliRunner, Result
from sqlalchemy import select

from azmdr.cli import main
from azmdr.store.database import Store
from azmdr.store.tables import METADATA
from lab.azure.scenario import workspace_id
from lab.customers import Customer
from tests.shared_samples import REPOSITORY

COMMAND: Final = (sys.executable, "-m", "azmdr")


@dataclass(frozen=True)
class CommandLine:
    """``azmdr`` with a store."""

    store_url: str

    def run(self, *arguments: str) -> Result:
        """Run a command; an exception that is not told in a line fails the test."""
        result = CliRunner().invoke(main, arguments)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def told(self, *arguments: str) -> str:
        """What a command says that goes well."""
        result = self.run(*arguments)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *arguments: str) -> Any:
        """What a command says in JSON; how it ends is another matter."""
        return json.loads(self.run(*arguments, "--json").stdout)

    def refused(self, *arguments: str) -> str:
        """The one line a command says that can't be done."""
        result = self.run(*arguments)
        assert result.exit_code == 1
        assert result.stdout == ""
        line = result.stderr.removesuffix("\n")
        assert line.startswith("Error: ")
        assert "\n" not in line
        return line.removeprefix("Error: ")

    def add(self, customer: Customer) -> str:
        """Add a customer of the lab."""
        place = ("--tenant", customer.tenant_id, "--home-region", customer.home_region)
        return self.told(
            "customer", "add", customer.name, *place, "--entra-workspace", workspace_id(customer)
        )

    def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table."""
        store = Store.open(self.store_url)
        try:
            with store.read() as connection:
                return {
                    table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
                    for table in METADATA.sorted_tables
                }
        finally:
            store.close()


def process(*arguments: str) -> "subprocess.Popen[str]":
    """The command in a process of its own, of the code that is tested here."""
    pipe, environment = subprocess.PIPE, os.environ | {"PYTHONPATH": str(REPOSITORY)}
    return subprocess.Popen([*COMMAND, *arguments], text=True, stdout=pipe, stderr=pipe, env=environment)
