"""Resources: what assets and sensors are given of a deployment. Opened when first used, closed at the end.

Settings come from :mod:`azmdr.config`, not from run configuration, so that no secret is ever part of a
run. Concept: docs.dagster.io/guides/build/external-resources.
"""

from dataclasses import replace
from functools import cached_property
from typing import Any

import dagster as dg

from azmdr.azure.storage import blob_container, queue
from azmdr.capture.container import CaptureContainer
from azmdr.capture.intake import Naming
from azmdr.capture.names import ArchiveNameFormat
from azmdr.capture.queue import CaptureQueue
from azmdr.config import Settings
from azmdr.lake.open import open_lake
from azmdr.lake.storage import LakeStorage
from azmdr.steps.control_plane import ControlPlane
from azmdr.steps.open import open_control_plane
from azmdr.store.database import Store
from terraform_gen.github_settings import github_repository
from terraform_gen.repository import Repository


class Deployment(dg.ConfigurableResource["Deployment"]):
    """One deployment of azmdr: its settings, its state store, its lake, and where captures arrive."""

    @cached_property
    def settings(self) -> Settings:
        """What the deployment chose. Raises :class:`azmdr.config.ConfigurationError`."""
        return Settings.load()

    @cached_property
    def store(self) -> Store:
        """The state store."""
        return Store.open(self.settings.store_url.get_secret_value())

    @cached_property
    def lake(self) -> LakeStorage:
        """The lake."""
        return open_lake(self.settings.lake, self.settings.storage_account_key)

    @cached_property
    def container(self) -> CaptureContainer:
        """The container Event Hubs Capture writes to."""
        client, _ = blob_container(
            self.settings.required("capture_container"), self.settings.storage_account_key
        )
        return CaptureContainer(client)

    @cached_property
    def queue(self) -> CaptureQueue:
        """The queue that announces capture files."""
        address = self.settings.required("capture_queue")
        key = self.settings.storage_account_key
        poison = self.settings.poison_queue or f"{address}-poison"
        return CaptureQueue(queue(address, key), queue(poison, key))

    def control_plane(self, owner: str) -> ControlPlane:
        """What the reconciling steps work with. ``owner`` holds the leases: the id of a run.

        The steps of one run share it, so that what one learnt of Azure's token buckets the next knows.
        """
        return replace(self._plane, owner=owner)

    @cached_property
    def _plane(self) -> ControlPlane:
        return open_control_plane(self.settings, self.store, owner="")

    @cached_property
    def repository(self) -> Repository:
        """The repository the event hubs' code is committed to. Raises ConfigurationError: none is set."""
        return github_repository(self.settings)

    @cached_property
    def naming(self) -> Naming:
        """What a capture file's place and name may be."""
        return Naming(self.container.name, ArchiveNameFormat(self.settings.archive_name_format))

    def teardown_after_execution(self, context: Any) -> None:  # noqa: ARG002
        """Give back the connections."""
        if "_plane" in self.__dict__:
            self._plane.arm.close()
        if "store" in self.__dict__:
            self.store.close()
