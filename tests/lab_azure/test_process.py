"""The lab's Azure as a process of its own, reached by nothing but what it prints."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from azure.identity import ClientSecretCredential
from azure.mgmt.resource.subscriptions import SubscriptionClient

from lab.customers import CUSTOMERS

pytest.importorskip("trustme", reason="the lab's Azure makes its certificates with trustme")


@pytest.fixture
def process(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "lab", "azure", "--folder", str(tmp_path / "certificates")]
    options = ["--happenings", "0.2", "--activity", str(tmp_path / "activity.ndjson")]
    pipe = subprocess.PIPE
    with subprocess.Popen([*command, *options], text=True, stdout=pipe, stderr=pipe) as started:
        yield started
        started.kill()


def test_it_says_what_a_client_needs_and_ends_cleanly(
    process: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    told = json.loads(_line(process.stdout))
    wiring: dict[str, Any] = {"connection_verify": told["authority_file"]}
    credential = ClientSecretCredential(
        told["provider_tenant_id"],
        told["client_id"],
        told["client_secret"],
        authority=told["url"],
        disable_instance_discovery=True,
        **wiring,
    )
    scopes = ["https://management.azure.com/.default"]
    client = SubscriptionClient(credential, base_url=told["url"], credential_scopes=scopes, **wiring)
    seen = {each.subscription_id for each in client.subscriptions.list()}
    expected = {each for customer in told["customers"] for each in customer["subscription_ids"]}
    assert seen == expected | {told["ingest_subscription_id"]}
    assert [each["name"] for each in told["customers"]] == [each.name for each in CUSTOMERS]

    happened = [json.loads(_line(process.stderr)) for _ in range(3)]
    assert happened[0]["happened"] == "vault created"
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0
    # No diagnostic setting stands, so nothing of it is sent anywhere.
    assert not (tmp_path / "activity.ndjson").exists()


def _line(pipe: IO[str] | None) -> str:
    assert pipe is not None
    return pipe.readline()
