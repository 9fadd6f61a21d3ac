"""The messages of Terraform's plugin protocol 6, as far as a provider without an Azure needs them.

Source: github.com/hashicorp/terraform, `docs/plugin-protocol/tfplugin6.proto`. Fields left out are those the
engine doesn't need from such a provider; protobuf passes over what it doesn't know.
"""

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # type: ignore[import-untyped]

_PACKAGE: Final = "tfplugin6"
_SCALARS: Final = {
    "bool": descriptor_pb2.FieldDescriptorProto.TYPE_BOOL,
    "bytes": descriptor_pb2.FieldDescriptorProto.TYPE_BYTES,
    "int": descriptor_pb2.FieldDescriptorProto.TYPE_INT64,
    "string": descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
}

_MESSAGES: Final[dict[str, str]] = {
    "Empty": "",
    "DynamicValue": "msgpack=1:bytes json=2:bytes",
    "Diagnostic": "severity=1:int summary=2:string detail=3:string",
    "Attribute": (
        "name=1:string type=2:bytes description=3:string required=4:bool optional=5:bool computed=6:bool"
        " sensitive=7:bool"
    ),
    "NestedBlock": "type_name=1:string block=2:Block nesting=3:int min_items=4:int max_items=5:int",
    "Block": "version=1:int attributes=2:Attribute* block_types=3:NestedBlock*",
    "Schema": "version=1:int block=2:Block",
    "NamedSchema": "key=1:string value=2:Schema",
    "RawState": "json=1:bytes",
    "Schemas": "provider=1:Schema resource_schemas=2:NamedSchema* data_source_schemas=3:NamedSchema*",
    "Asked": "type_name=1:string config=2:DynamicValue",
    "Complaints": "diagnostics=1:Diagnostic*",
    "ProviderComplaints": "diagnostics=2:Diagnostic*",
    "Upgrade": "type_name=1:string version=2:int raw_state=3:RawState",
    "Upgraded": "upgraded_state=1:DynamicValue",
    "Read": "type_name=1:string current_state=2:DynamicValue",
    "Found": "new_state=1:DynamicValue",
    "Plan": (
        "type_name=1:string prior_state=2:DynamicValue proposed_new_state=3:DynamicValue"
        " config=4:DynamicValue"
    ),
    "Planned": "planned_state=1:DynamicValue legacy_type_system=5:bool",
    "Apply": "type_name=1:string prior_state=2:DynamicValue planned_state=3:DynamicValue",
    "Applied": "new_state=1:DynamicValue diagnostics=3:Diagnostic* legacy_type_system=4:bool",
    "ReadData": "type_name=1:string config=2:DynamicValue",
    "FoundData": "state=1:DynamicValue",
}
"""Each message: its fields as ``name=number:type``, with a ``*`` for a list. Enums travel as integers."""


def _field(text: str) -> descriptor_pb2.FieldDescriptorProto:
    name, _, rest = text.partition("=")
    number, _, kind = rest.partition(":")
    field = descriptor_pb2.FieldDescriptorProto(name=name, number=int(number))
    repeated = kind.endswith("*")
    kind = kind.rstrip("*")
    field.label = (
        descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED
        if repeated
        else descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL
    )
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE
        field.type_name = f".{_PACKAGE}.{kind}"
    return field


def _classes() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="tfplugin6_part.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        file.message_type.add(name=name).field.extend(_field(text) for text in fields.split())
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))
        for name in _MESSAGES
    }


MESSAGES: Final = _classes()
"""The message classes by name."""
