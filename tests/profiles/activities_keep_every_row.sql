-- Every activity of the stream is in the mart once, with a known customer or without.
with counts as (
    select
        (select count(*) from {{ ref('record_activities') }}) as stream_count,
        (select count(*) from {{ ref('activities') }}) as mart_count
)

select *
from counts
where stream_count <> mart_count
