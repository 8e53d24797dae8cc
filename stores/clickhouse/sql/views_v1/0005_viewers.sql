CREATE TABLE IF NOT EXISTS {{db}}.viewer_days
(
    day Date COMMENT 'Day of started_at, UTC',
    app_id LowCardinality(String) COMMENT 'The application',
    profile_id String COMMENT 'Who watched: a pseudonym',
    views Int64 COMMENT 'Views that the profile began on the day; rows of one key are added when read'
)
ENGINE = SummingMergeTree(views)
PARTITION BY toYYYYMM(day)
ORDER BY (day, app_id, profile_id)
SETTINGS non_replicated_deduplication_window = {{token_window}}, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Who watched on which day: a viewer is a profile whose views add up to more than 0. Sums of cubes can not say that';

CREATE MATERIALIZED VIEW IF NOT EXISTS {{db}}.viewer_days_from_views TO {{db}}.viewer_days AS
SELECT day, app_id, profile_id, sum(signed_views) AS views
FROM (SELECT toDate(started_at) AS day, app_id, profile_id, views * sign AS signed_views FROM {{db}}.views)
GROUP BY day, app_id, profile_id
HAVING views != 0;

CREATE TABLE IF NOT EXISTS {{db}}.view_keys
(
    session_id String COMMENT 'One run of a player',
    view_id String COMMENT 'A view of the session',
    profile_id String COMMENT 'Who watched: a pseudonym',
    title_id String COMMENT 'What was watched',
    started_at DateTime64(3, 'UTC') COMMENT 'First moment of the view: where in views its row lies',
    last_at DateTime64(3, 'UTC') COMMENT 'Last moment of the view that is known',
    last_received_at DateTime64(3, 'UTC') COMMENT 'When its last report was received',
    views Int64 COMMENT '1 once the rows of one key are added: the view stands so; 0: it no longer does'
)
ENGINE = SummingMergeTree(views)
PARTITION BY toYear(started_at)
PRIMARY KEY (session_id, view_id)
ORDER BY (session_id, view_id, profile_id, title_id, started_at, last_at, last_received_at)
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = {{token_window}}, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Finds the views of a session, and when they were';

CREATE MATERIALIZED VIEW IF NOT EXISTS {{db}}.view_keys_from_views TO {{db}}.view_keys AS
SELECT session_id, view_id, profile_id, title_id, started_at, last_at, last_received_at, views * sign AS views
FROM {{db}}.views;
