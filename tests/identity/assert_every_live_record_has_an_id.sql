-- No live record vanishes: each has exactly one id and one row of the mart, identifiers or not;
-- test and deleted ones have none.
with expected as (
    select record_id from {{ ref('int_person_match_records') }}
    union all
    select record_id from {{ ref('int_account_match_records') }}
),

held as (
    select record_id from {{ ref('int_person_ids') }}
    union all
    select record_id from {{ ref('int_account_ids') }}
),

told as (
    select record_id from {{ ref('customer_source_records') }}
    union all
    select record_id from {{ ref('account_source_records') }}
),

counted as (
    select record_id, 1 as expected_count, 0 as held_count, 0 as told_count from expected
    union all
    select record_id, 0 as expected_count, 1 as held_count, 0 as told_count from held
    union all
    select record_id, 0 as expected_count, 0 as held_count, 1 as told_count from told
)

select record_id
from counted
group by record_id
having sum(expected_count) <> 1 or sum(held_count) <> 1 or sum(told_count) <> 1
