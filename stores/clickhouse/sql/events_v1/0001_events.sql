CREATE TABLE IF NOT EXISTS {{db}}.events
(
    topic LowCardinality(String) COMMENT 'Topic of the log',
    partition UInt16 COMMENT 'Partition of the topic',
    position UInt64 COMMENT 'Position in the partition: topic, partition and position name a row',
    fate Enum8('folded' = 1, 'duplicate' = 2, 'parked' = 3, 'undecryptable' = 4) COMMENT 'What became of the record; count only folded ones',
    type LowCardinality(String) COMMENT 'Event type, for example Heartbeat; empty when the bytes could not be decoded',
    event_id UUID COMMENT 'Minted once by the first writer; a duplicate repeats it',
    occurred_at DateTime64(3, 'UTC') COMMENT 'When it happened, by the corrected clock of the client',
    received_at DateTime64(3, 'UTC') COMMENT 'When the collector received it',
    source LowCardinality(String) COMMENT 'Who wrote it: sdk, cmcd, api, import, simulator or engine',
    app_id LowCardinality(String) COMMENT 'The app whose key sent it',
    environment LowCardinality(String) COMMENT 'For example production or staging',
    key String COMMENT 'Key of the record: all records of a key are in one partition, in order',
    profile_id String COMMENT 'Profile, where the event has one',
    session_id String COMMENT 'Session of the player, where the event has one',
    title_id String COMMENT 'Title, where the event has one',
    schema_id UInt32 COMMENT 'Id of the schema it was written with; 0 when unknown',
    payload String COMMENT 'All other fields, as JSON' CODEC(ZSTD(1)),
    version UInt64 ALIAS position COMMENT 'For audits: the position',
    sign Int8 ALIAS 1 COMMENT 'For audits: a log entry is never taken back',
    row_key String ALIAS toString(position) COMMENT 'For audits'
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(received_at)
ORDER BY (toStartOfHour(received_at), topic, partition, position)
SETTINGS non_replicated_deduplication_window = {{token_window}}, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Every record of the log, one row each';

CREATE TABLE IF NOT EXISTS {{db}}.landing_events
(
    term UInt64,
    topic LowCardinality(String),
    partition UInt16,
    position UInt64,
    fate Enum8('folded' = 1, 'duplicate' = 2, 'parked' = 3, 'undecryptable' = 4),
    type LowCardinality(String),
    event_id String,
    occurred_at DateTime64(3, 'UTC'),
    received_at DateTime64(3, 'UTC'),
    source LowCardinality(String),
    app_id LowCardinality(String),
    environment LowCardinality(String),
    key String,
    profile_id String,
    session_id String,
    title_id String,
    schema_id UInt32,
    payload String
)
ENGINE = Null
COMMENT 'Where consumers insert; the view behind it refuses rows of an owner that was replaced';

CREATE MATERIALIZED VIEW IF NOT EXISTS {{db}}.events_from_landing TO {{db}}.events AS
SELECT topic, partition, position, fate, type, toUUIDOrZero(event_id) AS event_id, occurred_at, received_at,
       source, app_id, environment, key, profile_id, session_id, title_id, schema_id, payload
FROM {{db}}.landing_events
WHERE throwIf(
    term < (
        SELECT max(term) FROM {{base}}.owners
        WHERE owner = (SELECT concat('{{generation}}/', any(topic), '/', toString(any(partition))) FROM {{db}}.landing_events)
    ),
    'stale owner') = 0;
