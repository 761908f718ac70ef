{{ config(enabled=source_is_on('klaviyo')) }}

with persons as (
    select * from {{ ref('stg_klaviyo__persons') }}
),

records as (
    select
        record_id,
        'klaviyo' as source,
        'person' as source_object,
        person_id as source_record_id,
        first_name,
        last_name,
        full_name,
        email,
        phone,
        street,
        city,
        region,
        postcode,
        country_code,
        birth_date,
        company_name,
        null as company_domain,
        job_title,
        null as account_record_id,
        false as is_test,
        is_deleted,
        created_at,
        coalesce(updated_at, created_at) as updated_at,
        loaded_at
    from persons
)

select * from records
