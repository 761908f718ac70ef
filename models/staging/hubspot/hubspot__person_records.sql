{{ config(enabled=source_is_on('hubspot')) }}

with contacts as (
    select * from {{ ref('stg_hubspot__contacts') }}
),

companies as (
    select * from {{ ref('stg_hubspot__companies') }}
),

records as (
    select
        contacts.record_id,
        'hubspot' as source,
        'contact' as source_object,
        contacts.contact_id as source_record_id,
        contacts.first_name,
        contacts.last_name,
        {{ to_text("concat_ws(' ', contacts.first_name, contacts.last_name)") }} as full_name,
        contacts.preferred_email as email,
        contacts.preferred_phone as phone,
        contacts.street,
        contacts.city,
        contacts.region,
        contacts.postcode,
        contacts.country_code,
        contacts.birth_date,
        coalesce(contacts.company_name, companies.company_name) as company_name,
        companies.domain as company_domain,
        contacts.job_title,
        'hubspot:company:' || contacts.company_id as account_record_id,
        false as is_test,
        contacts.is_deleted,
        contacts.created_at,
        coalesce(contacts.updated_at, contacts.created_at) as updated_at,
        contacts.loaded_at
    from contacts
    left join companies
        on companies.company_id = contacts.company_id
)

select * from records
