-- Do views stall where the cache misses? Requests from the CDNs' logs joined to the views of their session, last day.
SELECT
    r.cdn AS cdn,
    if(r.hits / r.requests >= 0.8, 'mostly hits', 'mostly misses') AS cache,
    count() AS views,
    round(100 * sum(v.stalled_ms) / nullIf(sum(v.watched_ms), 0), 3) AS rebuffer_percent,
    round(sum(r.first_byte_ms) / nullIf(sum(r.timed), 0), 1) AS first_byte_ms
FROM playhead.qoe_views AS v
INNER JOIN
(
    SELECT session_id, any(cdn) AS cdn, count() AS requests, countIf(cache_status = 'hit') AS hits,
           sum(c.first_byte_ms) AS first_byte_ms, count(c.first_byte_ms) AS timed
    FROM playhead.cdn_requests AS c
    WHERE occurred_at >= now() - INTERVAL 1 DAY
    GROUP BY session_id
) AS r ON r.session_id = v.session_id
WHERE v.started_at >= now() - INTERVAL 1 DAY
GROUP BY cdn, cache
ORDER BY rebuffer_percent DESC, cdn, cache
