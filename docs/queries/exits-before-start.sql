-- Where do people leave before the first frame (EBVS), by player and version, over the last day?
-- Left: over with neither a start nor a failure, or 30 min without a report and no start.
SELECT
    player,
    player_version,
    count() AS views,
    countIf(ended_before_start = 1 OR (open_unstarted = 1 AND last_received_at < now() - INTERVAL 30 MINUTE)) AS exits,
    round(100 * exits / views, 3) AS ebvs_percent
FROM playhead.qoe_views
WHERE started_at >= now() - INTERVAL 1 DAY
GROUP BY player, player_version
ORDER BY ebvs_percent DESC, player, player_version
LIMIT 50
