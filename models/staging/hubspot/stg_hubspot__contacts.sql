{{ config(enabled=source_is_on('hubspot'), materialized='table') }}

with source as (
    {{ staged_rows(
        'hubspot', 'contact', key='id', latest_by=['_fivetran_synced', 'property_lastmodifieddate'],
        country='property_country'
    ) }}
),

valued as (
    {{ clean_values(
        'source',
        email=['property_email', 'property_email_1'], phone=['property_mobilephone', 'property_phone'],
        boolean=['property_hs_email_optout', '_fivetran_deleted', 'is_deleted'],
        timestamp=['property_createdate', 'property_created_at', 'property_lastmodifieddate', '_fivetran_synced'],
        country='row_country_code',
        others=[['property_date_of_birth', 'invalid_date', to_birth_date('property_date_of_birth')]]
    ) }}
),

cleaned as (
    select
        -- keys
        row_key,
        'hubspot:contact:' || row_key as record_id,
        row_key as contact_id,
        {{ regexp_replace_all(to_text('property_associatedcompanyid'), '[.]0+$', '') }} as company_id,
        {{ to_text('property_hs_merged_object_ids') }} as merged_contact_ids,

        -- attributes
        {{ to_name('property_firstname') }} as first_name,
        {{ to_name('property_lastname') }} as last_name,
        clean_property_email as email,
        clean_property_email_1 as second_email,
        clean_property_mobilephone as mobile_phone,
        clean_property_phone as office_phone,
        {{ to_name('property_address') }} as street,
        {{ to_name('property_city') }} as city,
        {{ to_name('property_state') }} as region,
        {{ to_postcode('property_zip') }} as postcode,
        row_country_code as country_code,
        clean_property_date_of_birth as birth_date,
        {{ to_name('property_company') }} as company_name,
        {{ to_name('property_jobtitle') }} as job_title,

        -- flags
        clean_property_hs_email_optout as has_opted_out_of_email,
        coalesce(clean__fivetran_deleted, false) or coalesce(clean_is_deleted, false) as is_deleted,

        -- timestamps
        coalesce(clean_property_createdate, clean_property_created_at) as created_at,
        clean_property_lastmodifieddate as updated_at,
        clean__fivetran_synced as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
),

with_preferred as (
    select
        *,
        coalesce(email, second_email) as preferred_email,
        coalesce(mobile_phone, office_phone) as preferred_phone
    from cleaned
)

select * from with_preferred
