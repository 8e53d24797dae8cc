CREATE TABLE IF NOT EXISTS {{db}}.tally
(
    topic LowCardinality(String),
    partition UInt16,
    row_key String,
    version UInt64,
    sign Int8,
    events UInt32,
    positions_ms Int64
)
ENGINE = VersionedCollapsingMergeTree(sign, version)
ORDER BY (topic, partition, row_key)
SETTINGS non_replicated_deduplication_window = {{token_window}}, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS {{db}}.landing_tally
(
    term UInt64,
    topic LowCardinality(String),
    partition UInt16,
    row_key String,
    version UInt64,
    sign Int8,
    events UInt32,
    positions_ms Int64
)
ENGINE = Null;

CREATE MATERIALIZED VIEW IF NOT EXISTS {{db}}.tally_from_landing TO {{db}}.tally AS
SELECT topic, partition, row_key, version, sign, events, positions_ms
FROM {{db}}.landing_tally
WHERE throwIf(
    term < (
        SELECT max(term) FROM {{base}}.owners
        WHERE owner = (SELECT concat('{{generation}}/', any(topic), '/', toString(any(partition))) FROM {{db}}.landing_tally)
    ),
    'stale owner') = 0;
