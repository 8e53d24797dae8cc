"""Decodes framed events with Confluent's own deserialiser.

Usage: registry_client.py REGISTRY_URL < lines of base64 > lines of JSON
"""

import base64
import datetime
import json
import sys
import uuid

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext


def plain(value):
    """What fastavro makes of logical types, as JSON has it."""
    if isinstance(value, datetime.datetime):
        epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
        return (value - epoch) // datetime.timedelta(milliseconds=1)
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(type(value))


def main():
    client = SchemaRegistryClient({"url": sys.argv[1]})
    subjects = client.get_subjects()
    latest = client.get_latest_version("playhead.playback.Heartbeat")
    print(
        json.dumps(
            {
                "subjects": len(subjects),
                "latest": [latest.subject, latest.version, latest.schema_id],
                "compatibility": client.get_compatibility(),
            }
        )
    )
    deserialize = AvroDeserializer(client)
    context = SerializationContext("playback-events", MessageField.VALUE)
    for line in sys.stdin:
        event = deserialize(base64.b64decode(line), context)
        print(json.dumps(event, default=plain))


main()
