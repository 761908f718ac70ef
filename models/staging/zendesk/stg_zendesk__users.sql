{{ config(enabled=source_is_on('zendesk'), materialized='table') }}

{#-
    A locale such as en-GB tells how to read a phone number; en-US is what everybody starts with and
    tells nothing.
-#}
with source as (
    {{ staged_rows(
        'zendesk', 'user', key='id', latest_by=['_fivetran_synced', 'updated_at'],
        country="case when lower(" ~ trimmed('locale') ~ ") <> 'en-us' then " ~ regexp_extract(trimmed('locale'), '-([A-Za-z]{2})$', 1) ~ " end"
    ) }}
),

named as (
    select
        *,
        case
            when name not like '%@%' and {{ regexp_like('"name"', '[^0-9+()./ -]') }}
                then {{ to_name('"name"') }}
        end as person_name
    from source
),

valued as (
    {{ clean_values(
        'named',
        email=['email'], phone=['phone'], boolean=['active', 'suspended', 'verified'],
        timestamp=['created_at', 'updated_at', 'last_login_at', '_fivetran_synced'], country='row_country_code',
        others=[['"name"', 'not_a_name', 'person_name']]
    ) }}
),

cleaned as (
    select
        -- keys
        row_key,
        'zendesk:user:' || row_key as record_id,
        row_key as user_id,
        {{ to_text('organization_id') }} as organization_id,
        {{ to_text('external_id') }} as external_id,

        -- attributes
        {{ first_name_of('clean_name') }} as first_name,
        {{ last_name_of('clean_name') }} as last_name,
        clean_name as full_name,
        clean_email as email,
        clean_phone as phone,
        lower({{ to_text('"role"') }}) as role_name,

        -- flags
        coalesce(lower({{ to_text('"role"') }}) in ('agent', 'admin'), false) as is_staff,
        coalesce(clean_suspended, false) as is_suspended,
        coalesce(clean_verified, false) as is_verified,
        coalesce(not clean_active, false) as is_deleted,

        -- timestamps
        clean_created_at as created_at,
        clean_updated_at as updated_at,
        clean_last_login_at as last_login_at,
        clean__fivetran_synced as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
