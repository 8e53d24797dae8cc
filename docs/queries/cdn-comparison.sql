-- Which CDN serves better, over the last day? Stalls, bitrate, failures, first byte and throughput side by side.
SELECT
    value AS cdn,
    sum(c.views) AS views,
    round(100 * sum(c.stalled_ms) / nullIf(sum(c.watched_ms), 0), 3) AS rebuffer_percent,
    round(100 * sum(c.failures) / views, 3) AS failure_percent,
    round(sum(c.bits) / nullIf(sum(c.bits_media_ms), 0)) AS average_bitrate_kbps,
    round(sum(c.delivery_first_byte_ms) / nullIf(sum(c.delivery_requests), 0), 1) AS first_byte_ms,
    round(8 * sum(c.delivery_bytes) / nullIf(sum(c.delivery_transfer_ms), 0)) AS throughput_kbps
FROM playhead.qoe_by_hour AS c
WHERE dim = 'cdn' AND hour >= now() - INTERVAL 1 DAY
GROUP BY cdn
HAVING views > 0
ORDER BY views DESC
