-- How many people watched, by day, and how many of them had watched in the 7 days before, too?
-- People can not be added over days or applications: each question counts profiles anew.
WITH people AS (SELECT DISTINCT day, profile_id FROM playhead.viewer_days WHERE day >= today() - 14)
SELECT
    now_.day AS day,
    uniqExact(now_.profile_id) AS viewers,
    uniqExactIf(now_.profile_id, before.profile_id != '') AS of_them_back_within_7_days
FROM people AS now_
LEFT JOIN people AS before
    ON now_.profile_id = before.profile_id AND before.day < now_.day AND before.day >= now_.day - 7
WHERE now_.day >= today() - 7
GROUP BY day
ORDER BY day
