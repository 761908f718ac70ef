with ids as (
    select * from {{ ref('int_account_ids') }}
),

account_records as (
    select * from {{ ref('account_records') }}
),

source_records as (
    select
        ids.account_id,
        account_records.record_id,
        account_records.parent_record_id,
        account_records.source,
        account_records.source_object,
        account_records.source_record_id,
        ids.generation as since_generation,
        account_records.created_at,
        account_records.updated_at
    from ids
    inner join account_records on ids.record_id = account_records.record_id
)

select * from source_records
