CREATE TABLE IF NOT EXISTS {{db}}.progress
(
    topic LowCardinality(String) COMMENT 'Topic of the log that the row is folded from',
    partition UInt16 COMMENT 'Partition of the topic',
    version UInt64 COMMENT 'Position of the log that the row reflects',
    sign Int8 COMMENT '1: the row stands; -1: it stood under this version and is taken back',
    row_key String ALIAS concat(toString(length(profile_id)), ':', profile_id, title_id) COMMENT 'For audits: what names the row',
    profile_id String COMMENT 'Who watches: a pseudonym',
    title_id String COMMENT 'What is watched',
    position_ms Nullable(Int64) COMMENT 'Where to resume, rounded down to a whole minute, ms; null: nowhere (never reported, or cleared)',
    duration_ms Nullable(Int64) COMMENT 'Length as the player said, ms; null: not known',
    completed Bool COMMENT 'At 95 %, at 90 % where the credits are known to have begun, or marked as watched since',
    watched_ms Int64 COMMENT 'Media really played, a rewatch counted once, rounded down to a whole minute, ms',
    plays UInt32 COMMENT 'Times it was started; starts within 30 s of each other are one',
    first_watched_at Nullable(DateTime64(3, 'UTC')) COMMENT 'First moment of watching; null: never, only marked or cleared',
    last_watched_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Hour of the last moment of watching; null: never',
    updated_at DateTime64(3, 'UTC') COMMENT 'Hour in which position or completed were decided last',
    series_id String COMMENT 'Series of an episode, as stamped when it was watched; empty: none',
    season Nullable(Int32) COMMENT 'Season of an episode; null: none',
    episode Nullable(Int32) COMMENT 'Number in its season; null: none'
)
ENGINE = VersionedCollapsingMergeTree(sign, version)
ORDER BY (profile_id, title_id)
SETTINGS non_replicated_deduplication_window = {{token_window}}, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Signed rows of progress: query the view progress, which has each profile and title once';

CREATE TABLE IF NOT EXISTS {{db}}.landing_progress ENGINE = Null
EMPTY AS SELECT toUInt64(0) AS term, topic, partition, '' AS row_key, version, sign,
    profile_id, title_id, position_ms, duration_ms, completed, watched_ms, plays, first_watched_at, last_watched_at,
    updated_at, series_id, season, episode
FROM {{db}}.progress;

CREATE MATERIALIZED VIEW IF NOT EXISTS {{db}}.progress_from_landing TO {{db}}.progress AS
SELECT * EXCEPT (term, row_key)
FROM {{db}}.landing_progress
WHERE throwIf(
    term < (
        SELECT max(term) FROM {{base}}.owners
        WHERE owner = (SELECT concat('{{generation}}/', any(topic), '/', toString(any(partition))) FROM {{db}}.landing_progress)
    ),
    'stale owner') = 0;
