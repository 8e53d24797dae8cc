-- What was watched most over the last 7 days, by name, and how far did people get in it?
SELECT
    if(t.name = '', v.title_id, t.name) AS title,
    v.views AS views,
    v.viewers AS viewers,
    round(v.watched_ms / 3600000, 2) AS watched_hours,
    round(100 * v.unique_ms / nullIf(v.views * t.duration_ms, 0), 1) AS watched_percent,
    p.finished AS finished
FROM
(
    SELECT title_id, count() AS views, uniqExact(profile_id) AS viewers,
           sum(watched_ms) AS watched_ms, sum(unique_media_ms) AS unique_ms
    FROM playhead.qoe_views
    WHERE started_at >= now() - INTERVAL 7 DAY
    GROUP BY title_id
) AS v
LEFT JOIN playhead.titles AS t ON t.title_id = v.title_id
LEFT JOIN (SELECT title_id, countIf(completed) AS finished FROM playhead.progress GROUP BY title_id) AS p
    ON p.title_id = v.title_id
ORDER BY v.watched_ms DESC
LIMIT 20
