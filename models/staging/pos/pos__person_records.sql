{{ config(enabled=source_is_on('pos')) }}

with members as (
    select * from {{ ref('stg_pos__loyalty_members') }}
),

records as (
    select
        record_id,
        'pos' as source,
        'loyalty_member' as source_object,
        loyalty_id as source_record_id,
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
        null as company_name,
        null as company_domain,
        null as job_title,
        null as account_record_id,
        is_test,
        is_deleted,
        joined_at as created_at,
        updated_at,
        loaded_at
    from members
)

select * from records
