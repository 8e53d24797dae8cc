-- How far do people get in a title? Of the views of the last 30 days, how many watched each second of it.
-- Give the title as a parameter: --param_title_id=dune, or &param_title_id=dune in the URL.
WITH steps AS
(
    SELECT tupleElement(step, 1) AS second, sum(tupleElement(step, 2)) AS change
    FROM playhead.qoe_views
    ARRAY JOIN arrayConcat(arrayMap(s -> (s, 1), watched_from), arrayMap(s -> (s, -1), watched_to)) AS step
    WHERE title_id = {title_id:String} AND started_at >= now() - INTERVAL 30 DAY
    GROUP BY second
)
SELECT second, watching, round(100 * watching / max(watching) OVER (), 2) AS percent_of_peak
FROM (SELECT second, sum(change) OVER (ORDER BY second) AS watching FROM steps WHERE change != 0)
ORDER BY second
