"""The category policy's file: its format, and every way it can be wrong. See docs/category-policy.md."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any, Final, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from azmdr.reconcile.customer_rules import Name, Names, refuse_repeated

SUBSCRIPTION_TYPE: Final = "microsoft.resources/subscriptions"
"""The type of a subscription as a target: its logs are the activity log."""


class CategoryPolicyError(ValueError):
    """A category policy that can't be used. The message names the file, the key and the problem."""


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WantedOfType(_Entry):
    """What is wanted of one type, and what is known of its categories."""

    categories: tuple[Name, ...] = ()
    group: Literal["audit", "allLogs"] | None = None
    not_wanted: Name | None = None
    no_logs: Name | None = None
    refused: dict[Name, Name] = {}
    free: tuple[Name, ...] = ()
    billed: tuple[Name, ...] = ()
    children: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        said = [key for key in ("categories", "group", "not_wanted", "no_logs") if getattr(self, key)]
        if len(said) > 1:
            raise ValueError(f"{' and '.join(said)} together; a type says one of them")
        if not said and not self.refused:
            raise ValueError("says nothing; name categories, group, not_wanted, no_logs or refused")
        if self.refused and (self.not_wanted or self.no_logs):
            raise ValueError(f"{said[0]} and refused together; nothing is left to refuse")
        refuse_repeated("categories and refused", (*self.categories, *self.refused))
        refuse_repeated("free and billed", (*self.free, *self.billed))
        refuse_repeated("children", self.children)
        for child in self.children:
            if child.count("/") % 2 == 0:
                raise ValueError(f"children: {child!r} is no path such as blobServices/default")
        return self


class WantedOfSubscription(_Entry):
    """What is wanted of the activity log. A subscription's setting takes no groups."""

    categories: Names
    refused: dict[Name, Name] = {}

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse_repeated("categories and refused", (*self.categories, *self.refused))
        return self


class WantedOfEntra(_Entry):
    """Which tables of the Entra ID workspace are exported."""

    wanted: Names
    refused: dict[Name, Name] = {}

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse_repeated("wanted and refused", (*self.wanted, *self.refused))
        return self


class PolicyFile(_Entry):
    """The whole file."""

    unlisted: Literal["audit", "none"]
    subscription: WantedOfSubscription
    entra_tables: WantedOfEntra
    types: dict[Name, WantedOfType]

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse_repeated("types and subscription", (*self.types, SUBSCRIPTION_TYPE))
        return self


def read_policy_file(path: Path) -> PolicyFile:
    """Read a category policy.

    Raises:
        CategoryPolicyError: it is not there, no YAML, or not of the format.
    """
    try:
        # The loader is PyYAML's safe one, made stricter.
        content = yaml.load(path.read_text(encoding="utf-8"), _UniqueKeyLoader)  # noqa: S506
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CategoryPolicyError(f"category policy {path}: {error}") from error
    try:
        return PolicyFile.model_validate(content)
    except ValidationError as error:
        lines = (f"{_key(found['loc'])}: {found['msg']}" for found in error.errors(include_url=False))
        raise CategoryPolicyError(f"category policy {path}: " + "; ".join(lines)) from None


def _key(location: tuple[int | str, ...]) -> str:
    return " > ".join(map(str, location)) or "the file"


class _UniqueKeyLoader(yaml.SafeLoader):
    """YAML forbids a key twice in one mapping; PyYAML takes the last and says nothing."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        names = [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        seen: set[str] = set()
        for name in names:
            if name.value in seen:
                raise yaml.MarkedYAMLError(problem=f"{name.value}: said twice", problem_mark=name.start_mark)
            seen.add(name.value)
        return super().construct_mapping(node, deep)
