CREATE TABLE IF NOT EXISTS {{db}}.owners
(
    owner String COMMENT 'generation/topic/partition',
    term UInt64 COMMENT 'raised by each take-over; rows of a lower term are refused',
    owned_at DateTime DEFAULT now()
)
ENGINE = ReplacingMergeTree(term)
ORDER BY owner
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Who may write the rows of a partition of the log: guards every landing table';
