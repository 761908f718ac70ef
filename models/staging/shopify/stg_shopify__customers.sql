{{ config(enabled=source_is_on('shopify'), materialized='table') }}

{%- set email_consent_states = ['subscribed', 'unsubscribed', 'not_subscribed', 'pending', 'invalid', 'redacted'] %}
{%- set opt_in_levels = ['single_opt_in', 'confirmed_opt_in', 'unknown'] %}

with source as (
    {{ staged_rows('shopify', 'customer', key='id', latest_by=['updated_at', '_fivetran_synced']) }}
),

addresses as (
    select * from {{ ref('stg_shopify__customer_addresses') }}
),

ranked_addresses as (
    select
        addresses.*,
        row_number() over (
            partition by addresses.customer_id
            order by
                addresses.is_default desc,
                case when addresses.address_id = {{ to_text('source.default_address_id') }} then 0 else 1 end,
                length(addresses.address_id),
                addresses.address_id
        ) as address_rank
    from addresses
    inner join source
        on source.row_key = addresses.customer_id
),

with_default_address as (
    select
        source.*,
        ranked_addresses.company_name,
        ranked_addresses.street,
        ranked_addresses.city,
        ranked_addresses.region,
        ranked_addresses.postcode,
        ranked_addresses.country_code,
        ranked_addresses.phone as address_phone
    from source
    left join ranked_addresses
        on
            ranked_addresses.customer_id = source.row_key
            and ranked_addresses.address_rank = 1
),

valued as (
    {{ clean_values(
        'with_default_address',
        email=['email'], phone=['phone'], boolean=['accepts_marketing', '_fivetran_deleted'],
        timestamp=[
            'created_at', 'updated_at', 'email_marketing_consent_updated_at', 'accepts_marketing_updated_at',
            '_fivetran_synced'
        ],
        country='country_code',
        others=[
            ['email_marketing_consent_state', 'unknown_value', to_accepted('email_marketing_consent_state', email_consent_states)],
            ['email_marketing_consent_opt_in_level', 'unknown_value', to_accepted('email_marketing_consent_opt_in_level', opt_in_levels)],
        ]
    ) }}
),

cleaned as (
    select
        -- keys
        row_key,
        'shopify:customer:' || row_key as record_id,
        row_key as customer_id,

        -- attributes
        {{ to_name('first_name') }} as first_name,
        {{ to_name('last_name') }} as last_name,
        {{ to_text("concat_ws(' ', " ~ to_name('first_name') ~ ", " ~ to_name('last_name') ~ ")") }} as full_name,
        clean_email as email,
        coalesce(clean_phone, address_phone) as phone,
        company_name,
        street,
        city,
        region,
        postcode,
        country_code,
        clean_email_marketing_consent_state as email_consent_state,
        clean_email_marketing_consent_opt_in_level as email_opt_in_level,
        coalesce({{ to_text('email_marketing_consent_state') }}, {{ to_text('accepts_marketing') }}) as email_consent_signal,

        -- flags
        clean_accepts_marketing as accepts_marketing,
        coalesce(clean__fivetran_deleted, false) as is_deleted,

        -- timestamps
        clean_created_at as created_at,
        clean_updated_at as updated_at,
        coalesce(
            clean_email_marketing_consent_updated_at, clean_accepts_marketing_updated_at
        ) as email_consent_updated_at,
        clean__fivetran_synced as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
