"""The Avro schema that Event Hubs Capture writes: the one thing the product and the lab share.

Source: learn.microsoft.com/azure/event-hubs/explore-captured-avro-files. The ``null`` branch in the
values of ``Properties`` is not on that page; files written by the service have it.
"""

from typing import Any, Final

EVENT_DATA: Final[dict[str, Any]] = {
    "type": "record",
    "name": "EventData",
    "namespace": "Microsoft.ServiceBus.Messaging",
    "fields": [
        {"name": "SequenceNumber", "type": "long"},
        {"name": "Offset", "type": "string"},
        {"name": "EnqueuedTimeUtc", "type": "string"},
        {
            "name": "SystemProperties",
            "type": {"type": "map", "values": ["long", "double", "string", "bytes"]},
        },
        {
            "name": "Properties",
            "type": {"type": "map", "values": ["long", "double", "string", "bytes", "null"]},
        },
        {"name": "Body", "type": ["null", "bytes"]},
    ],
}
"""The writer schema of a capture file, as parsed JSON."""
