"""Writes to a topic the way other programs do, and reads what it holds.

Usage: kafka_client.py BROKER TOPIC produce CODEC < lines "key<tab>value"   (an empty key is none)
       kafka_client.py BROKER TOPIC transact                               (one rolled back, one kept)
       kafka_client.py BROKER TOPIC consume COUNT                          (lines of JSON)
"""

import json
import sys
import uuid

from confluent_kafka import Consumer, Producer


def produce(broker, topic, codec):
    producer = Producer({"bootstrap.servers": broker, "compression.type": codec, "partitioner": "murmur2_random"})
    for line in sys.stdin.read().splitlines():
        key, value = line.split("\t")
        producer.produce(topic, value, key or None, headers={"codec": codec})
    assert producer.flush(20) == 0


def transact(broker, topic):
    producer = Producer({"bootstrap.servers": broker, "transactional.id": str(uuid.uuid4())})
    producer.init_transactions(20)
    for value, ends in (("rolled back", producer.abort_transaction), ("kept", producer.commit_transaction)):
        producer.begin_transaction()
        producer.produce(topic, value, "k")
        assert producer.flush(20) == 0
        ends(20)


def consume(broker, topic, count):
    settings = {"bootstrap.servers": broker, "group.id": str(uuid.uuid4()), "auto.offset.reset": "earliest"}
    consumer = Consumer(settings | {"check.crcs": True})
    consumer.subscribe([topic])
    found = 0
    while found < count:
        message = consumer.poll(20)
        assert message is not None and message.error() is None, message and message.error()
        found += 1
        headers = {name: value.decode() for name, value in message.headers() or []}
        facts = {"partition": message.partition(), "offset": message.offset(), "timestampMs": message.timestamp()[1]}
        print(json.dumps(facts | {"key": message.key().decode(), "value": message.value().decode(), "headers": headers}))
    consumer.close()


def main():
    broker, topic, what, *rest = sys.argv[1:]
    if what == "produce":
        produce(broker, topic, *rest)
    elif what == "transact":
        transact(broker, topic)
    else:
        consume(broker, topic, int(rest[0]))


main()
