with ids as (
    select * from {{ ref('int_person_ids') }}
),

person_records as (
    select * from {{ ref('person_records') }}
),

source_records as (
    select
        ids.customer_id,
        person_records.record_id,
        person_records.account_record_id,
        person_records.source,
        person_records.source_object,
        person_records.source_record_id,
        ids.generation as since_generation,
        person_records.created_at,
        person_records.updated_at
    from ids
    inner join person_records on ids.record_id = person_records.record_id
)

select * from source_records
