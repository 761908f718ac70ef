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
    select
        record_id,
        'salesforce_id' as identifier_type,
        salesforce_id as identifier_value,
        created_at as observed_at,
        loaded_at
    from persons
    union all
    select
        record_id,
        'salesforce_id' as identifier_type,
        converted_contact_id as identifier_value,
        created_at as observed_at,
        loaded_at
    from persons
    union all
    select
        record_id,
        'email' as identifier_type,
        email as identifier_value,
        created_at as observed_at,
        loaded_at
    from persons
    union all
    select
        record_id,
        'phone' as identifier_type,
        mobile_phone as identifier_value,
        created_at as observed_at,
        loaded_at
    from persons
    union all
    select
        record_id,
        'phone' as identifier_type,
        office_phone as identifier_value,
        created_at as observed_at,
        loaded_at
    from persons
),

final as (
    select
        record_id,
        'salesforce' as source,
        identifier_type,
        identifier_value,
        observed_at,
        loaded_at
    from identifiers
    where identifier_value is not null
)

select * from final
