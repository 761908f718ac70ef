-- Every consent event of any source is in the ledger once.
with counts as (
    select
        (select count(*) from {{ ref('consent_events') }}) as stream_count,
        (select count(*) from {{ ref('consent_ledger') }}) as ledger_count
)

select *
from counts
where stream_count <> ledger_count
