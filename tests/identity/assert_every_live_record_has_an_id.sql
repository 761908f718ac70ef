-- No live record vanishes: each has exactly one id, identifiers or not; test and deleted ones have
-- none.
with expected as (
    select record_id from {{ ref('int_person_match_records') }}
    union all
    select record_id from {{ ref('int_account_match_records') }}
),

held as (
    select record_id from {{ ref('int_person_ids') }}
    union all
    select record_id from {{ ref('int_account_ids') }}
)

select coalesce(expected.record_id, held.record_id) as record_id
from expected
full outer join held on expected.record_id = held.record_id
where expected.record_id is null or held.record_id is null
