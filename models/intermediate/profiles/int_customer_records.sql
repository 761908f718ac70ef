{{ config(materialized='view') }}

with person_records as (
    select * from {{ ref('person_records') }}
),

person_ids as (
    select * from {{ ref('int_person_ids') }}
),

final as (
    select
        person_ids.customer_id,
        person_records.record_id,
        person_records.source,
        person_records.source_object,
        person_records.first_name,
        person_records.last_name,
        person_records.full_name,
        person_records.email,
        person_records.phone,
        person_records.street,
        person_records.city,
        person_records.region,
        person_records.postcode,
        person_records.country_code,
        person_records.birth_date,
        person_records.company_name,
        person_records.company_domain,
        person_records.job_title,
        person_records.account_record_id,
        {{ address_line('person_records') }} as address,
        coalesce(
            person_records.created_at,
            person_records.updated_at,
            person_records.loaded_at
        ) as created_at,
        coalesce(
            person_records.updated_at,
            person_records.created_at,
            person_records.loaded_at
        ) as seen_at
    from person_records
    inner join person_ids on person_ids.record_id = person_records.record_id
)

select * from final
