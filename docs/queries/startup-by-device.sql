-- How long do people wait for the first frame, by kind of device, over the last 7 days?
-- Percentiles of several hours come from their histograms added up (never from percentiles of percentiles): within 1 %.
WITH waits AS
(
    SELECT value AS device_type, arrayJoin(sumMap(startup_hist)) AS bucket
    FROM playhead.qoe_by_hour
    WHERE dim = 'device_type' AND hour >= now() - INTERVAL 7 DAY
    GROUP BY device_type
)
SELECT
    device_type,
    sum(bucket.2) AS starts,
    round(exp((quantileExactWeighted(0.50)(bucket.1, toUInt64(bucket.2)) - 0.5) * 0.0200007)) AS p50_ms,
    round(exp((quantileExactWeighted(0.95)(bucket.1, toUInt64(bucket.2)) - 0.5) * 0.0200007)) AS p95_ms
FROM waits
WHERE bucket.2 > 0
GROUP BY device_type
ORDER BY p95_ms DESC
