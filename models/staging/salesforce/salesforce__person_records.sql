{{ config(enabled=source_is_on('salesforce')) }}

with contacts as (
    select * from {{ ref('stg_salesforce__contacts') }}
),

leads as (
    select * from {{ ref('stg_salesforce__leads') }}
),

accounts as (
    select * from {{ ref('stg_salesforce__accounts') }}
),

records as (
    select
        contacts.record_id,
        'salesforce' as source,
        'contact' as source_object,
        contacts.contact_id as source_record_id,
        contacts.first_name,
        contacts.last_name,
        contacts.full_name,
        contacts.email,
        contacts.phone,
        contacts.street,
        contacts.city,
        contacts.region,
        contacts.postcode,
        contacts.country_code,
        contacts.birth_date,
        accounts.account_name as company_name,
        accounts.domain as company_domain,
        contacts.job_title,
        'salesforce:account:' || contacts.account_id as account_record_id,
        false as is_test,
        contacts.is_deleted,
        contacts.created_at,
        coalesce(contacts.updated_at, contacts.created_at) as updated_at,
        contacts.loaded_at
    from contacts
    left join accounts
        on accounts.account_id = contacts.account_id
    union all
    select
        record_id,
        'salesforce' as source,
        'lead' as source_object,
        lead_id as source_record_id,
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
        cast(null as date) as birth_date,
        company_name,
        company_domain,
        job_title,
        'salesforce:account:' || converted_account_id as account_record_id,
        false as is_test,
        is_deleted,
        created_at,
        coalesce(updated_at, created_at) as updated_at,
        loaded_at
    from leads
)

select * from records
