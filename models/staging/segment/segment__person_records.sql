{{ config(enabled=source_is_on('segment')) }}

with profiles as (
    select * from {{ ref('stg_segment__profiles') }}
),

records as (
    select
        record_id,
        'segment' as source,
        'user' as source_object,
        user_id as source_record_id,
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
        false as is_deleted,
        created_at,
        updated_at,
        loaded_at
    from profiles
)

select * from records
