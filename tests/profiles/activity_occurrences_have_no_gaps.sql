-- The occurrences of an activity of a customer are 1, 2, 3 and so on, each once.
select
    customer_id,
    activity,
    count(*) as row_count,
    max(activity_occurrence) as last_occurrence
from {{ ref('activities') }}
where customer_id is not null
group by customer_id, activity
having
    count(*) <> max(activity_occurrence)
    or count(*) <> count(distinct activity_occurrence)
    or min(activity_occurrence) <> 1
