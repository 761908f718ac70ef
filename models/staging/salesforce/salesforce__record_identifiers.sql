{{ config(enabled=source_is_on('salesforce')) }}

with persons as (
    select
        record_id,
        contact_id as salesforce_id,
        cast(null as text) as converted_contact_id,
        email,
        mobile_phone,
        office_phone,
        created_at,
        loaded_at
    from {{ ref('stg_salesforce__contacts') }}
    union all
    select
        record_id,
        lead_id as salesforce_id,
        converted_contact_id,
        email,
        mobile_phone,
        office_phone,
        created_at,
        loaded_at
    from {{ ref('stg_salesforce__leads') }}
),

identifiers as (
    {{ identifiers_of('salesforce', 'persons', {
        'salesforce_id': ['salesforce_id', 'converted_contact_id'],
        'email': ['email'],
        'phone': ['mobile_phone', 'office_phone']
    }) }}
)

select * from identifiers
