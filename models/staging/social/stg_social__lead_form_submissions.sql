{{ config(enabled=source_is_on('social'), materialized='table') }}

with source as (
    {{ staged_rows('social', 'lead_form_submission', key='id', latest_by='loaded_at', country='country') }}
),

valued as (
    {{ clean_values(
        'source',
        email=['email'], phone=['phone_number'], boolean=['marketing_opt_in'],
        timestamp=['submitted_at', 'loaded_at'], country='row_country_code'
    ) }}
),

cleaned as (
    select
        -- keys
        row_key,
        'social:lead_form_submission:' || row_key as record_id,
        row_key as submission_id,
        {{ to_text('form_id') }} as form_id,
        lower({{ to_text('platform') }}) || ':' || {{ to_text('profile_id') }} as social_profile_id,

        -- attributes
        lower({{ to_text('platform') }}) as platform,
        {{ to_text('form_name') }} as form_name,
        {{ to_text('campaign_name') }} as campaign_name,
        coalesce({{ to_name('first_name') }}, {{ first_name_of('full_name') }}) as first_name,
        coalesce({{ to_name('last_name') }}, {{ last_name_of('full_name') }}) as last_name,
        coalesce(
            {{ to_name('full_name') }},
            {{ to_text("concat_ws(' ', " ~ to_name('first_name') ~ ", " ~ to_name('last_name') ~ ")") }}
        ) as full_name,
        clean_email as email,
        clean_phone_number as phone,
        {{ to_name('company_name') }} as company_name,
        {{ to_name('job_title') }} as job_title,
        {{ to_name('city') }} as city,
        row_country_code as country_code,

        -- flags
        clean_marketing_opt_in as has_marketing_opt_in,

        -- timestamps
        clean_submitted_at as submitted_at,
        clean_loaded_at as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
