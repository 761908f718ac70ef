{{ config(enabled=source_is_on('salesforce'), materialized='table') }}

with source as (
    {{ staged_rows(
        'salesforce', 'lead', key='id', latest_by=['_fivetran_synced', 'last_modified_date'],
        country='coalesce(' ~ to_country_code('country_code') ~ ', country)'
    ) }}
),

valued as (
    {{ clean_values(
        'source',
        email=['email'], phone=['mobile_phone', 'phone'],
        boolean=['is_converted', 'has_opted_out_of_email', 'do_not_call', 'is_deleted'],
        timestamp=['created_date', 'converted_date', 'last_modified_date', '_fivetran_synced'],
        country='row_country_code', others=[['website', 'invalid_domain', to_domain('website')]]
    ) }}
),

cleaned as (
    select
        -- keys
        row_key,
        'salesforce:lead:' || row_key as record_id,
        row_key as lead_id,
        {{ to_text('converted_contact_id') }} as converted_contact_id,
        {{ to_text('converted_account_id') }} as converted_account_id,

        -- attributes
        coalesce(
            {{ to_name('first_name') }},
            case when {{ to_text('last_name') }} is null then {{ first_name_of('"name"') }} end
        ) as first_name,
        coalesce(
            {{ to_name('last_name') }},
            case when {{ to_text('first_name') }} is null then {{ last_name_of('"name"') }} end
        ) as last_name,
        {{ to_name('"name"') }} as full_name,
        clean_email as email,
        clean_mobile_phone as mobile_phone,
        clean_phone as office_phone,
        {{ to_name('street') }} as street,
        {{ to_name('city') }} as city,
        {{ to_name('state') }} as region,
        {{ to_postcode('postal_code') }} as postcode,
        row_country_code as country_code,
        {{ to_name('company') }} as company_name,
        clean_website as company_domain,
        {{ to_name('title') }} as job_title,
        {{ to_text('status') }} as status,
        {{ to_text('lead_source') }} as lead_source,

        -- flags
        coalesce(clean_is_converted, {{ to_text('converted_contact_id') }} is not null) as is_converted,
        clean_has_opted_out_of_email as has_opted_out_of_email,
        clean_do_not_call as is_not_to_be_called,
        coalesce(clean_is_deleted, false) as is_deleted,

        -- timestamps
        clean_created_date as created_at,
        clean_converted_date as converted_at,
        clean_last_modified_date as updated_at,
        clean__fivetran_synced as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
),

with_phone as (
    select
        *,
        coalesce(mobile_phone, office_phone) as phone
    from cleaned
)

select * from with_phone
