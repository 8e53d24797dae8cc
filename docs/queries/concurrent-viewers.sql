-- How many watched at once, minute by minute, over the last day?
-- Starting, playing, seeking, stalled or in an ad; paused players are not in it. The mean of each minute.
SELECT minute, concurrent_viewers
FROM playhead.qoe_by_minute
WHERE dim = 'all' AND minute >= now() - INTERVAL 1 DAY AND at_slices > 0
ORDER BY minute
