{{ config(enabled=source_is_on('social')) }}

with submissions as (
    select * from {{ ref('stg_social__lead_form_submissions') }}
),

records as (
    select
        record_id,
        'social' as source,
        'lead_form_submission' as source_object,
        submission_id as source_record_id,
        first_name,
        last_name,
        full_name,
        email,
        phone,
        null as street,
        city,
        null as region,
        null as postcode,
        country_code,
        null as birth_date,
        company_name,
        null as company_domain,
        job_title,
        null as account_record_id,
        false as is_test,
        false as is_deleted,
        submitted_at as created_at,
        submitted_at as updated_at,
        loaded_at
    from submissions
)

select * from records
