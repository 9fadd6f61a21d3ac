import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient

from lab.azurite import AzuriteError, AzuriteServer


def test_blobs_outlive_the_server_in_its_folder(tmp_path: Path) -> None:
    for expected in ([], ["capture"]):
        with AzuriteServer(tmp_path) as server:
            service = BlobServiceClient.from_connection_string(server.connection_string)
            assert [container.name for container in service.list_containers()] == expected
            if not expected:
                service.create_container("capture")


def test_a_port_in_use_is_told_with_azurites_own_words() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(AzuriteError, match=str(port)),
            AzuriteServer(None, blob_port=port, ready_within=20),
        ):
            pass


def test_the_command_says_where_it_listens_and_ends_on_sigterm(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "lab", "azurite", "--folder", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        service = BlobServiceClient.from_connection_string(told["connection_string"])
        assert list(service.list_containers()) == []
        assert told["blob_endpoint"].startswith("http://127.0.0.1:")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
