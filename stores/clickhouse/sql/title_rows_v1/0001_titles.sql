CREATE TABLE IF NOT EXISTS {{db}}.titles
(
    topic LowCardinality(String) COMMENT 'Topic of the log that the row is folded from',
    partition UInt16 COMMENT 'Partition of the topic',
    version UInt64 COMMENT 'Position of the log that the row reflects',
    sign Int8 COMMENT '1: the row stands; -1: it stood under this version and is taken back',
    row_key String ALIAS title_id COMMENT 'For audits: what names the row',
    title_id String COMMENT 'Names the title',
    kind LowCardinality(String) COMMENT 'movie, series, episode, clip, live, audio or unknown',
    name String COMMENT 'Title as shown',
    description String COMMENT 'Synopsis; empty: none',
    duration_ms Nullable(Int64) COMMENT 'Length, ms; null: not known',
    credits_start_ms Nullable(Int64) COMMENT 'Where the closing credits begin, ms; null: not known',
    series_id String COMMENT 'Series of an episode; empty: none',
    season Nullable(Int32) COMMENT 'Season of an episode; null: none',
    episode Nullable(Int32) COMMENT 'Number in its season; null: none',
    release_year Nullable(Int32) COMMENT 'Year; null: not known',
    rating LowCardinality(String) COMMENT 'Such as PG-13; empty: none',
    genres Array(String) COMMENT 'Genres',
    regions_available Array(String) COMMENT 'ISO 3166-1; empty: everywhere',
    regions_blocked Array(String) COMMENT 'ISO 3166-1',
    images String COMMENT 'URL by role, as JSON',
    external_ids String COMMENT 'Id by system, as JSON',
    manifests String COMMENT 'URL by protocol, as JSON',
    updated_at DateTime64(3, 'UTC') COMMENT 'When it was registered or withdrawn last',
    withdrawn Bool COMMENT 'Withdrawn after it was registered last'
)
ENGINE = VersionedCollapsingMergeTree(sign, version)
ORDER BY (title_id)
SETTINGS non_replicated_deduplication_window = {{token_window}}, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Signed rows of the catalogue: query the view titles, which has each title once';

CREATE TABLE IF NOT EXISTS {{db}}.landing_titles ENGINE = Null
EMPTY AS SELECT toUInt64(0) AS term, topic, partition, '' AS row_key, version, sign,
    title_id, kind, name, description, duration_ms, credits_start_ms, series_id, season, episode, release_year,
    rating, genres, regions_available, regions_blocked, images, external_ids, manifests, updated_at, withdrawn
FROM {{db}}.titles;

CREATE MATERIALIZED VIEW IF NOT EXISTS {{db}}.titles_from_landing TO {{db}}.titles AS
SELECT * EXCEPT (term, row_key)
FROM {{db}}.landing_titles
WHERE throwIf(
    term < (
        SELECT max(term) FROM {{base}}.owners
        WHERE owner = (SELECT concat('{{generation}}/', any(topic), '/', toString(any(partition))) FROM {{db}}.landing_titles)
    ),
    'stale owner') = 0;
