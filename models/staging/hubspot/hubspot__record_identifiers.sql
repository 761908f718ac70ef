{{ config(enabled=source_is_on('hubspot')) }}

with contacts as (
    select * from {{ ref('stg_hubspot__contacts') }}
),

merged_contacts as (
    select
        record_id,
        {{ split_to_rows('merged_contact_ids', ';') }} as written_id,
        created_at,
        loaded_at
    from contacts
    where merged_contact_ids is not null
),

merged_ids as (
    select
        record_id,
        {{ to_text('written_id') }} as merged_contact_id,
        created_at,
        loaded_at
    from merged_contacts
),

identifiers as (
    {{ identifiers_of('hubspot', 'contacts', {
        'hubspot_id': ['contact_id'],
        'email': ['email', 'second_email'],
        'phone': ['mobile_phone', 'office_phone']
    }) }}
    union all
    {{ identifiers_of('hubspot', 'merged_ids', {'hubspot_id': ['merged_contact_id']}) }}
)

select * from identifiers
