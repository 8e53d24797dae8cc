-- Which titles stall most, over the last day? Those with 20 views at least.
-- Stalled time of all views together by their watched time: short views do not count as much as long ones.
SELECT
    value AS title_id,
    sum(c.views) AS views,
    round(100 * sum(c.stalled_ms) / sum(c.watched_ms), 3) AS rebuffer_percent,
    round(sum(c.stalls) / views, 3) AS stalls_per_view
FROM playhead.qoe_by_hour AS c
WHERE dim = 'title_id' AND hour >= now() - INTERVAL 1 DAY
GROUP BY title_id
HAVING views >= 20 AND sum(c.watched_ms) > 0
ORDER BY rebuffer_percent DESC, title_id
LIMIT 20
