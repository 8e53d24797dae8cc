CREATE TABLE IF NOT EXISTS {{db}}.view_slices
(
    topic LowCardinality(String) COMMENT 'Topic of the log that the row is folded from',
    partition UInt16 COMMENT 'Partition of the topic',
    version UInt64 COMMENT 'Position of the log that the row reflects',
    sign Int8 COMMENT '1: the row stands; -1: it stood under this version and is taken back',
    row_key String ALIAS concat('s/', view_id, '/', toString(toUnixTimestamp64Milli(minute))) COMMENT 'For audits: what names the row',
    view_id String COMMENT 'Names the view: 32 hexadecimal digits of SHA-256 over profile, session and title',
    profile_id String COMMENT 'Who watched: a pseudonym',
    minute DateTime64(3, 'UTC') COMMENT 'Begin of the minute, by the client\'s corrected clock',
    started_at DateTime64(3, 'UTC') COMMENT 'Begin of the view this minute belongs to',
    app_id LowCardinality(String) COMMENT 'The application whose key sent the reports',
    environment LowCardinality(String) COMMENT 'Such as production or staging',
    title_id String COMMENT 'What was watched',
    series_id String COMMENT 'Series of an episode, as stamped when it was watched; empty: none',
    content_type LowCardinality(String) COMMENT 'Such as movie, episode, clip, live; empty: not known',
    stream_type LowCardinality(String) COMMENT 'vod, live, dvr (live with a window to seek back in) or unknown',
    country LowCardinality(String) COMMENT 'ISO 3166-1 alpha-2 of the viewer; empty: not known',
    region LowCardinality(String) COMMENT 'ISO 3166-2 without the country; empty: not known',
    cdn LowCardinality(String) COMMENT 'Network that delivered the media in the minute',
    isp LowCardinality(String) COMMENT 'Name of the viewer\'s network',
    asn UInt32 COMMENT 'Number of the viewer\'s network; 0: not known',
    device_type LowCardinality(String) COMMENT 'Such as phone, tablet, desktop, tv, console',
    os LowCardinality(String) COMMENT 'Operating system',
    browser LowCardinality(String) COMMENT 'Browser',
    player LowCardinality(String) COMMENT 'Such as hls.js, dash.js, shaka',
    player_version LowCardinality(String) COMMENT 'Version of the player',
    app_version LowCardinality(String) COMMENT 'Version of the application',
    network_type LowCardinality(String) COMMENT 'Such as wifi, cellular, ethernet',
    protocol LowCardinality(String) COMMENT 'Such as hls, dash, progressive',
    error_code LowCardinality(String) COMMENT 'Code of the failure that ended the view; empty: none did',
    source LowCardinality(String) COMMENT 'Who reported: sdk, cmcd, api, import, simulator',
    slices Int64 COMMENT '1 in every row: sums of it count view-minutes',
    starting_ms Int64 COMMENT 'Wall time starting in this minute, ms',
    playing_ms Int64 COMMENT 'Wall time playing in this minute, ms',
    paused_ms Int64 COMMENT 'Wall time paused in this minute, ms',
    seeking_ms Int64 COMMENT 'Wall time seeking in this minute, ms',
    stalled_ms Int64 COMMENT 'Wall time stalled in this minute, ms',
    stalls Int64 COMMENT 'Stalls that began in this minute',
    ad_ms Int64 COMMENT 'Wall time in ads in this minute, ms',
    media_ms Int64 COMMENT 'Media time played in this minute, ms',
    bits Int64 COMMENT 'Bits of media played in this minute',
    bits_media_ms Int64 COMMENT 'Media time of this minute whose bitrate is known, ms',
    position_ms Int64 COMMENT 'Position in the media at the minute\'s last moment that is known, ms',
    played_from Array(UInt32) COMMENT 'Seconds of the title played in this minute, again counted again: where each range begins',
    played_to Array(UInt32) COMMENT 'Where each range ends, exclusive'
)
ENGINE = VersionedCollapsingMergeTree(sign, version)
PARTITION BY toYYYYMM(minute)
ORDER BY (toStartOfHour(minute), title_id, view_id, minute)
SETTINGS non_replicated_deduplication_window = {{token_window}}, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Signed rows of view-minutes: sum every measure × sign, or query qoe_slices';

CREATE TABLE IF NOT EXISTS {{db}}.landing_view_slices ENGINE = Null
EMPTY AS SELECT toUInt64(0) AS term, topic, partition, '' AS row_key, version, sign,
    view_id, profile_id, minute, started_at, app_id, environment, title_id, series_id, content_type, stream_type,
    country, region, cdn, isp, asn, device_type, os, browser, player, player_version, app_version, network_type,
    protocol, error_code, source, slices, starting_ms, playing_ms, paused_ms, seeking_ms, stalled_ms, stalls, ad_ms,
    media_ms, bits, bits_media_ms, position_ms, played_from, played_to
FROM {{db}}.view_slices;

CREATE MATERIALIZED VIEW IF NOT EXISTS {{db}}.view_slices_from_landing TO {{db}}.view_slices AS
SELECT * EXCEPT (term, row_key)
FROM {{db}}.landing_view_slices
WHERE throwIf(
    term < (
        SELECT max(term) FROM {{base}}.owners
        WHERE owner = (SELECT concat('{{generation}}/', any(topic), '/', toString(any(partition))) FROM {{db}}.landing_view_slices)
    ),
    'stale owner') = 0;
