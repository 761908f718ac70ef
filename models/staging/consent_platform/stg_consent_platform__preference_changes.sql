{{ config(enabled=source_is_on('consent_platform'), materialized='table') }}

{%- set identifier_types = ['email', 'phone', 'user_id', 'anonymous_id', 'loyalty_id'] %}
{%- set purposes = ['marketing', 'personalisation', 'profiling', 'ads'] %}
{%- set channels = ['email', 'sms', 'phone', 'post', 'any'] %}

with source as (
    {{ staged_rows(
        'consent_platform', 'preference_change', key='change_id', latest_by='loaded_at', country="split_part(jurisdiction, '-', 1)"
    ) }}
),

standardised as (
    select
        source.*,
        {{ to_accepted('identifier_type', identifier_types) }} as known_identifier_type,
        case {{ to_accepted('identifier_type', identifier_types) }}
            when 'email' then {{ to_email('identifier_value') }}
            when 'phone' then {{ to_phone('identifier_value', 'row_country_code') }}
            when 'user_id' then {{ to_text('identifier_value') }}
            when 'anonymous_id' then {{ to_text('identifier_value') }}
            when 'loyalty_id' then {{ to_text('identifier_value') }}
        end as known_identifier_value
    from source
),

valued as (
    {{ clean_values(
        'standardised',
        boolean=['is_subscribed'], timestamp=['occurred_at', 'loaded_at'],
        others=[
            ['identifier_type', 'unknown_value', 'known_identifier_type'],
            ['identifier_value', 'invalid_identifier', 'known_identifier_value'],
            ['purpose', 'unknown_value', to_accepted('purpose', purposes)],
            ['channel', 'unknown_value', to_accepted('channel', channels)],
        ]
    ) }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as change_id,

        -- attributes
        clean_identifier_type as identifier_type,
        clean_identifier_value as identifier_value,
        {{ to_text('brand') }} as brand,
        clean_purpose as purpose,
        clean_channel as channel,
        {{ to_text('method') }} as method,
        {{ to_text('actor') }} as actor,
        {{ to_upper(to_text('jurisdiction')) }} as jurisdiction,

        -- flags
        clean_is_subscribed as is_subscribed,

        -- timestamps
        clean_occurred_at as occurred_at,
        clean_loaded_at as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
