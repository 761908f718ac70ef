{{ config(enabled=source_is_on('hubspot')) }}

with contacts as (
    select * from {{ ref('stg_hubspot__contacts') }}
),

merged_contacts as (
    select
        record_id,
        {{ split_to_rows('merged_contact_ids', ';') }} as merged_contact_id,
        created_at,
        loaded_at
    from contacts
    where merged_contact_ids is not null
),

identifiers as (
    select
        record_id,
        'hubspot_id' as identifier_type,
        contact_id as identifier_value,
        created_at as observed_at,
        loaded_at
    from contacts
    union all
    select
        record_id,
        'hubspot_id' as identifier_type,
        {{ to_text('merged_contact_id') }} as identifier_value,
        created_at as observed_at,
        loaded_at
    from merged_contacts
    union all
    select
        record_id,
        'email' as identifier_type,
        email as identifier_value,
        created_at as observed_at,
        loaded_at
    from contacts
    union all
    select
        record_id,
        'email' as identifier_type,
        second_email as identifier_value,
        created_at as observed_at,
        loaded_at
    from contacts
    union all
    select
        record_id,
        'phone' as identifier_type,
        mobile_phone as identifier_value,
        created_at as observed_at,
        loaded_at
    from contacts
    union all
    select
        record_id,
        'phone' as identifier_type,
        office_phone as identifier_value,
        created_at as observed_at,
        loaded_at
    from contacts
),

final as (
    select
        record_id,
        'hubspot' as source,
        identifier_type,
        identifier_value,
        observed_at,
        loaded_at
    from identifiers
    where identifier_value is not null
)

select * from final
