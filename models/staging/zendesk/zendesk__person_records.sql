{{ config(enabled=source_is_on('zendesk')) }}

with users as (
    select * from {{ ref('stg_zendesk__users') }}
    where not is_staff
),

organizations as (
    select * from {{ ref('zendesk__account_records') }}
),

records as (
    select
        users.record_id,
        'zendesk' as source,
        'user' as source_object,
        users.user_id as source_record_id,
        users.first_name,
        users.last_name,
        users.full_name,
        users.email,
        users.phone,
        null as street,
        null as city,
        null as region,
        null as postcode,
        null as country_code,
        null as birth_date,
        organizations.name as company_name,
        organizations.domain as company_domain,
        null as job_title,
        'zendesk:organization:' || users.organization_id as account_record_id,
        false as is_test,
        users.is_deleted,
        users.created_at,
        coalesce(users.updated_at, users.created_at) as updated_at,
        users.loaded_at
    from users
    left join organizations
        on organizations.source_record_id = users.organization_id
)

select * from records
