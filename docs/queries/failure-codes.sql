-- What fails, how often, before or after the first frame, and for how many people, over the last day?
SELECT
    error_code,
    countIf(failures = 1) AS failed_views,
    sum(v.startup_failures) AS at_startup,
    sum(v.playback_failures) AS in_playback,
    uniqExact(profile_id) AS people,
    topK(1)(title_id)[1] AS title_most_hit
FROM playhead.qoe_views AS v
WHERE started_at >= now() - INTERVAL 1 DAY AND failures = 1
GROUP BY error_code
ORDER BY failed_views DESC, error_code
LIMIT 50
