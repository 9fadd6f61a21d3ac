"""A Terraform provider that knows what azurerm takes, and no Azure: schemas and value rules, nothing else.

It stands where azurerm would, so that Terraform's real engine validates, plans and tests configuration
without a network and without credentials. Whatever is created gets the values that were asked for; what only
Azure could know is unknown in a plan, and an invented text afterwards.

Run by Terraform: ``python -m lab.terraform.provider SCHEMA [RULES]``.
"""

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final

import grpc  # type: ignore[import-untyped]
import msgspec

from lab.terraform.plugin_messages import MESSAGES
from lab.terraform.value_rules import ValueRules

PROVIDER: Final = "registry.terraform.io/hashicorp/azurerm"
_SERVICE: Final = "tfplugin6.Provider"
_NESTING: Final = {"single": 1, "list": 2, "set": 3, "map": 4, "group": 5}
_ERROR: Final = 1
_UNKNOWN: Final = msgspec.msgpack.Ext(0, b"\x00")

Block = Mapping[str, Any]


def schema_message(schema: Mapping[str, Any]) -> Any:
    """A schema as ``terraform providers schema -json`` shows it, as the protocol wants it."""
    return MESSAGES["Schema"](version=schema.get("version", 0), block=_block_message(schema["block"]))


def _block_message(block: Block) -> Any:
    attributes = [
        MESSAGES["Attribute"](
            name=name,
            type=json.dumps(told["type"]).encode(),
            **{flag: True for flag in ("required", "optional", "computed", "sensitive") if told.get(flag)},
        )
        for name, told in block.get("attributes", {}).items()
    ]
    nested = [
        MESSAGES["NestedBlock"](
            type_name=name,
            block=_block_message(told["block"]),
            nesting=_NESTING[told["nesting_mode"]],
            min_items=told.get("min_items", 0),
            max_items=told.get("max_items", 0),
        )
        for name, told in block.get("block_types", {}).items()
    ]
    return MESSAGES["Block"](attributes=attributes, block_types=nested)


def filled(block: Block, value: Any, of: Callable[[str], Any]) -> Any:
    """A value with everything only Azure could know filled in.

    Args:
        block: the schema of the value.
        value: what was asked for.
        of: what to put for an attribute that is computed and was not given, by its name.
    """
    if not isinstance(value, dict):
        return value
    result = dict(value)
    for name, told in block.get("attributes", {}).items():
        if told.get("computed") and result.get(name) is None:
            result[name] = of(name) if told["type"] == "string" or of("") is _UNKNOWN else None
    for name, told in block.get("block_types", {}).items():
        inner = result.get(name)
        if isinstance(inner, list):
            result[name] = [filled(told["block"], each, of) for each in inner]
        elif isinstance(inner, dict) and told["nesting_mode"] == "single":
            result[name] = filled(told["block"], inner, of)
    return result


class Provider:
    """Answers Terraform's calls. ``schemas`` is one provider of ``terraform providers schema -json``."""

    def __init__(self, schemas: Mapping[str, Any], rules: ValueRules) -> None:
        self._schemas = schemas
        self._rules = rules
        self.stopped = threading.Event()

    @property
    def calls(self) -> dict[str, tuple[str, Callable[[Any], Any]]]:
        """The calls by name: the message each takes, and what answers it."""
        return {
            "GetProviderSchema": ("Empty", self._all_schemas),
            "ValidateProviderConfig": ("Empty", lambda _: MESSAGES["ProviderComplaints"]()),
            "ValidateResourceConfig": ("Asked", self._validate),
            "ValidateDataResourceConfig": ("Asked", lambda _: MESSAGES["Complaints"]()),
            "UpgradeResourceState": ("Upgrade", self._upgrade),
            "ConfigureProvider": ("Empty", lambda _: MESSAGES["Complaints"]()),
            "ReadResource": ("Read", lambda asked: MESSAGES["Found"](new_state=asked.current_state)),
            "PlanResourceChange": ("Plan", self._plan),
            "ApplyResourceChange": ("Apply", self._apply),
            "ReadDataSource": ("ReadData", self._read_data),
            "StopProvider": ("Empty", lambda _: MESSAGES["Empty"]()),
        }

    def _all_schemas(self, _: Any) -> Any:
        def named(of: str) -> list[Any]:
            return [
                MESSAGES["NamedSchema"](key=name, value=schema_message(schema))
                for name, schema in self._schemas.get(of, {}).items()
            ]

        return MESSAGES["Schemas"](
            provider=schema_message(self._schemas["provider"]),
            resource_schemas=named("resource_schemas"),
            data_source_schemas=named("data_source_schemas"),
        )

    def _validate(self, asked: Any) -> Any:
        complaints = self._rules.complaints(asked.type_name, _decoded(asked.config))
        return MESSAGES["Complaints"](diagnostics=list(_diagnostics(complaints)))

    def _upgrade(self, asked: Any) -> Any:
        state = json.loads(asked.raw_state.json)
        return MESSAGES["Upgraded"](upgraded_state=_encoded(state))

    def _plan(self, asked: Any) -> Any:
        proposed = _decoded(asked.proposed_new_state)
        if proposed is not None and _decoded(asked.prior_state) is None:
            # Azure's ids follow from names, so that a plan here shows what is in what.
            name = proposed.get("name")
            if isinstance(name, str) and proposed.get("id") is None:
                proposed["id"] = f"{asked.type_name}/{name}"
            proposed = filled(self._block(asked.type_name), proposed, lambda _: _UNKNOWN)
        return MESSAGES["Planned"](planned_state=_encoded(proposed), legacy_type_system=True)

    def _apply(self, asked: Any) -> Any:
        planned = _known(_decoded(asked.planned_state))
        if planned is not None:
            name = str(planned.get("name") or "unnamed")
            block = self._block(asked.type_name)
            planned = filled(block, planned, lambda attribute: f"{asked.type_name}/{name}/{attribute}")
        return MESSAGES["Applied"](new_state=_encoded(planned), legacy_type_system=True)

    def _read_data(self, asked: Any) -> Any:
        block = self._schemas["data_source_schemas"][asked.type_name]["block"]
        found = filled(block, _decoded(asked.config), lambda attribute: f"{asked.type_name}/{attribute}")
        return MESSAGES["FoundData"](state=_encoded(found))

    def _block(self, kind: str) -> Block:
        block: Block = self._schemas["resource_schemas"][kind]["block"]
        return block


def _diagnostics(complaints: Iterator[str]) -> Iterator[Any]:
    for complaint in complaints:
        yield MESSAGES["Diagnostic"](severity=_ERROR, summary=complaint)


def _decoded(value: Any) -> Any:
    return msgspec.msgpack.decode(value.msgpack) if value.msgpack else json.loads(value.json or b"null")


def _encoded(value: Any) -> Any:
    return MESSAGES["DynamicValue"](msgpack=msgspec.msgpack.encode(value))


def _known(value: Any) -> Any:
    """A value with null for everything unknown in it."""
    if isinstance(value, msgspec.msgpack.Ext):
        return None
    if isinstance(value, dict):
        return {name: _known(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_known(each) for each in value]
    return value


def _handlers(provider: Provider) -> list[Any]:
    def answering(answer: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
        return lambda request, _context: answer(request)

    calls = {
        name: grpc.unary_unary_rpc_method_handler(
            answering(answer),
            request_deserializer=MESSAGES[takes].FromString,
            response_serializer=lambda message: message.SerializeToString(),
        )
        for name, (takes, answer) in provider.calls.items()
    }

    def shut_down(_: Any) -> Any:
        provider.stopped.set()
        return MESSAGES["Empty"]()

    shutdown = grpc.unary_unary_rpc_method_handler(
        answering(shut_down),
        request_deserializer=MESSAGES["Empty"].FromString,
        response_serializer=lambda message: message.SerializeToString(),
    )
    return [
        grpc.method_handlers_generic_handler(_SERVICE, calls),
        grpc.method_handlers_generic_handler("plugin.GRPCController", {"Shutdown": shutdown}),
    ]


def serve(provider: Provider) -> None:
    """Answer Terraform over a socket until it says that it is done, or has gone."""
    server = grpc.server(
        ThreadPoolExecutor(8),
        options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)],
    )
    server.add_generic_rpc_handlers(_handlers(provider))
    address = f"{mkdtemp(prefix='tf-')}/provider"
    server.add_insecure_port(f"unix:{address}")
    server.start()
    # The handshake of github.com/hashicorp/go-plugin: core version, protocol, network, address, transport.
    sys.stdout.write(f"1|6|unix|{address}|grpc\n")
    sys.stdout.flush()
    parent = os.getppid()
    while not provider.stopped.wait(1) and os.getppid() == parent:
        pass
    server.stop(0)
    Path(address).unlink(missing_ok=True)
    Path(address).parent.rmdir()


def main(schema: str, rules: str | None = None) -> None:
    """Serve the schemas in one file, and the value rules in another."""
    known = json.loads(Path(schema).read_text())["provider_schemas"][PROVIDER]
    serve(Provider(known, ValueRules(json.loads(Path(rules).read_text()) if rules else {})))


if __name__ == "__main__":
    main(*sys.argv[1:])
