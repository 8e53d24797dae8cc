-- What bitrate do viewers of each network get, over the last 7 days? The 50 networks with most watching.
-- Bits of media by media time (CTA-2066), so that a long view counts by its length.
SELECT
    value AS isp,
    round(sum(c.bits) / sum(c.bits_media_ms)) AS average_bitrate_kbps,
    round(sum(c.watched_ms) / 3600000, 1) AS watched_hours,
    round(100 * sum(c.stalled_ms) / nullIf(sum(c.watched_ms), 0), 3) AS rebuffer_percent
FROM playhead.qoe_by_hour AS c
WHERE dim = 'isp' AND hour >= now() - INTERVAL 7 DAY
GROUP BY isp
HAVING sum(c.bits_media_ms) > 0
ORDER BY sum(c.watched_ms) DESC
LIMIT 50
