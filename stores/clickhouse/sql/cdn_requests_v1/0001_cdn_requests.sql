CREATE TABLE IF NOT EXISTS {{db}}.cdn_requests
(
    topic LowCardinality(String) COMMENT 'Topic of the log',
    partition UInt16 COMMENT 'Partition of the topic',
    position UInt64 COMMENT 'Position in the partition: topic, partition and position name a row',
    event_id UUID COMMENT 'Derived from the file and line, or minted by the player: a line that is read again repeats it',
    occurred_at DateTime64(3, 'UTC') COMMENT 'When the request was served',
    received_at DateTime64(3, 'UTC') COMMENT 'When the collector received the report',
    source LowCardinality(String) COMMENT 'Who reported: a CDN (import, cmcd) or the player (sdk)',
    app_id LowCardinality(String) COMMENT 'The application',
    environment LowCardinality(String) COMMENT 'Such as production or staging',
    session_id String COMMENT 'CMCD sid: join to qoe_views by it',
    title_id String COMMENT 'CMCD cid; empty: not said',
    url String COMMENT 'Without its query',
    method LowCardinality(String) COMMENT 'HTTP method',
    status Nullable(Int32) COMMENT 'HTTP status; null: not said',
    bytes Nullable(Int64) COMMENT 'Body sent, bytes; null: not said',
    first_byte_ms Nullable(Int32) COMMENT 'Request to first byte, ms; null: not said',
    total_ms Nullable(Int32) COMMENT 'Request to last byte, ms; null: not said',
    object_type LowCardinality(String) COMMENT 'CMCD ot: a audio, v video, av both, m manifest, i init, c captions, k key, o other; empty: not said',
    object_duration_ms Nullable(Int32) COMMENT 'CMCD d: media time in the object, ms',
    bitrate_kbps Nullable(Int32) COMMENT 'CMCD br: encoded bitrate, kbit/s',
    top_bitrate_kbps Nullable(Int32) COMMENT 'CMCD tb: highest bitrate the player may take, kbit/s',
    buffer_ms Nullable(Int32) COMMENT 'CMCD bl: media buffered at the request, ms',
    deadline_ms Nullable(Int32) COMMENT 'CMCD dl: until the buffer runs dry, ms',
    throughput_kbps Nullable(Int32) COMMENT 'CMCD mtp: throughput that the client measured, kbit/s',
    starved Nullable(Bool) COMMENT 'CMCD bs: the buffer ran dry since the request before',
    startup Nullable(Bool) COMMENT 'CMCD su: needed to start, seek or recover',
    playback_rate_permille Nullable(Int32) COMMENT 'CMCD pr: 1000 is real time, 0 is paused',
    stream_type LowCardinality(String) COMMENT 'CMCD st: vod, live, dvr or unknown',
    protocol LowCardinality(String) COMMENT 'CMCD sf: such as hls, dash',
    cdn LowCardinality(String) COMMENT 'Who served it',
    edge LowCardinality(String) COMMENT 'Node that served it',
    cache_status LowCardinality(String) COMMENT 'Such as hit, miss',
    country LowCardinality(String) COMMENT 'ISO 3166-1 alpha-2 of the viewer; empty: not known',
    region LowCardinality(String) COMMENT 'ISO 3166-2 without the country; empty: not known',
    asn UInt32 COMMENT 'Number of the viewer\'s network; 0: not known',
    isp LowCardinality(String) COMMENT 'Name of the viewer\'s network',
    device_type LowCardinality(String) COMMENT 'Such as phone, tablet, desktop, tv, console',
    keys String COMMENT 'Every other CMCD key, as JSON',
    version UInt64 ALIAS position COMMENT 'For audits: the position',
    sign Int8 ALIAS 1 COMMENT 'For audits: a log entry is never taken back',
    row_key String ALIAS toString(position) COMMENT 'For audits'
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (toStartOfHour(occurred_at), session_id, topic, partition, position)
SETTINGS non_replicated_deduplication_window = {{token_window}}, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Media requests, one row each, as CDNs\' logs and players report them';

CREATE TABLE IF NOT EXISTS {{db}}.landing_cdn_requests ENGINE = Null
EMPTY AS SELECT toUInt64(0) AS term,
    topic, partition, position, '' AS event_id, occurred_at, received_at, source, app_id, environment, session_id,
    title_id, url, method, status, bytes, first_byte_ms, total_ms, object_type, object_duration_ms, bitrate_kbps,
    top_bitrate_kbps, buffer_ms, deadline_ms, throughput_kbps, starved, startup, playback_rate_permille, stream_type,
    protocol, cdn, edge, cache_status, country, region, asn, isp, device_type, keys
FROM {{db}}.cdn_requests;

CREATE MATERIALIZED VIEW IF NOT EXISTS {{db}}.cdn_requests_from_landing TO {{db}}.cdn_requests AS
SELECT * EXCEPT (term) REPLACE (toUUIDOrZero(event_id) AS event_id)
FROM {{db}}.landing_cdn_requests
WHERE throwIf(
    term < (
        SELECT max(term) FROM {{base}}.owners
        WHERE owner = (SELECT concat('{{generation}}/', any(topic), '/', toString(any(partition))) FROM {{db}}.landing_cdn_requests)
    ),
    'stale owner') = 0;
