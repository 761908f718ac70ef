{{ config(enabled=source_is_on('klaviyo'), materialized='table') }}

with source as (
    {{ staged_rows('klaviyo', 'person', key='id', latest_by=['_fivetran_synced', 'updated'], country='country') }}
),

channels_listed as (
    -- ["email","sms"] and email;sms become ,email,sms, so that whole words can be looked for.
    select
        *,
        ',' || {{ regexp_replace_all(
            regexp_replace_all('lower(custom_consent)', '[;|]', ','), '[^a-z_,]', ''
        ) }} || ',' as channel_list
    from source
),

valued as (
    {{ clean_values(
        'channels_listed',
        email=['email'], phone=['phone_number'],
        boolean=['custom_accepts_marketing', 'custom_sms_consent', 'custom_suppress', '_fivetran_deleted'],
        timestamp=['custom_consent_timestamp', 'created', 'updated', '_fivetran_synced'],
        country='row_country_code',
        others=[['custom_birthday', 'invalid_date', to_birth_date('custom_birthday')]]
    ) }}
),

cleaned as (
    select
        -- keys
        row_key,
        'klaviyo:person:' || row_key as record_id,
        row_key as person_id,

        -- attributes
        {{ to_name('first_name') }} as first_name,
        {{ to_name('last_name') }} as last_name,
        {{ to_text("concat_ws(' ', " ~ to_name('first_name') ~ ", " ~ to_name('last_name') ~ ")") }} as full_name,
        clean_email as email,
        clean_phone_number as phone,
        {{ to_name("concat_ws(', ', " ~ to_text('address_1') ~ ", " ~ to_text('address_2') ~ ")") }} as street,
        {{ to_name('city') }} as city,
        {{ to_name('region') }} as region,
        {{ to_postcode('zip') }} as postcode,
        row_country_code as country_code,
        clean_custom_birthday as birth_date,
        {{ to_name('organization') }} as company_name,
        {{ to_name('title') }} as job_title,
        {{ to_text('custom_consent_method') }} as consent_method,
        {{ to_text('custom_consent_form_id') }} as consent_form_id,
        {{ to_text('custom_consent_form_version') }} as consent_form_version,

        -- flags
        coalesce(channel_list like '%,email,%', false) as has_consented_to_email,
        coalesce(channel_list like '%,sms,%', false) as has_consented_to_sms,
        coalesce(channel_list like '%,directmail,%', false) as has_consented_to_post,
        coalesce(not {{ to_boolean('custom_consent') }}, false) as has_refused_consent,
        clean_custom_accepts_marketing as is_accepting_marketing,
        clean_custom_sms_consent as is_accepting_sms,
        coalesce(clean_custom_suppress, false) as is_suppressed,
        coalesce(clean__fivetran_deleted, false) as is_deleted,

        -- timestamps
        clean_custom_consent_timestamp as consented_at,
        clean_created as created_at,
        clean_updated as updated_at,
        clean__fivetran_synced as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
