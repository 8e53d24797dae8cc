"""clickhouse-connect, unchanged: every type in and back, parameters, compression, an error with its code.

Usage: clickhouse_connect_client.py <port> <user> <password> <compression: default|none|gzip|lz4>
"""
import datetime
import decimal
import ipaddress
import sys
import uuid

import clickhouse_connect
from clickhouse_connect.driver.exceptions import DatabaseError

port, user, password, compression = sys.argv[1:]
compress = {"default": True, "none": False}.get(compression, compression)
client = clickhouse_connect.get_client(
    host="127.0.0.1", port=int(port), username=user, password=password, compress=compress
)
table = f"py_{compression}"
client.command(
    f"""CREATE TABLE {table} (
        u UInt64, i Int64, s String, at DateTime64(3, 'UTC'), n Nullable(Int32), l LowCardinality(String),
        a Array(String), m Map(String, Int64), d Decimal(18, 4), id UUID, f FixedString(3), ip IPv4, b Bool
    ) ENGINE = MergeTree ORDER BY u"""
)

text = "it's \"quoted\"\n\nDROP TABLE x;\0 end \\ `"
at = datetime.datetime(2023, 11, 14, 22, 13, 20, 123000, tzinfo=datetime.timezone.utc)
rows = [
    [
        2**63 + row, -(2**63), text, at, None if row % 2 else -5, "low", [text, ""], {text: -1, "k": 2},
        decimal.Decimal("12345.6789"), uuid.UUID("6f9619ff-8b86-d011-b42d-00c04fc964ff"), b"abc",
        ipaddress.ip_address("127.0.0.1"), row % 3 == 0,
    ]
    for row in range(1000)
]
names = ["u", "i", "s", "at", "n", "l", "a", "m", "d", "id", "f", "ip", "b"]
client.insert(table, rows, column_names=names)

found = client.query(
    f"SELECT * FROM {table} WHERE u >= {{from:UInt64}} AND s = {{s:String}} ORDER BY u",
    parameters={"from": 2**63, "s": text},
    query_tz="UTC",
    query_formats={"FixedString": "bytes"},
)
assert len(found.result_rows) == 1000, len(found.result_rows)
for got, sent in zip(found.result_rows, rows):
    got = list(got)
    got[3] = got[3].replace(tzinfo=datetime.timezone.utc)
    assert got == sent, (got, sent)

many = client.query("SELECT number, toString(number) FROM numbers(300000)")
assert [list(row) for row in many.result_rows[-1:]] == [[299999, "299999"]]
assert len(many.result_rows) == 300000
assert client.command("SELECT sum(number) FROM numbers(10)") == 45
assert client.query("SELECT 1 AS a").first_item == {"a": 1}
assert client.raw_query("SELECT 1 AS a", fmt="JSONEachRow") == b'{"a":1}\n'

try:
    client.query("SELECT * FROM nowhere")
    raise SystemExit("an unknown table was no error")
except DatabaseError as error:
    assert "Code: 60" in str(error) or "code 60" in str(error).lower(), str(error)
print("ok")
