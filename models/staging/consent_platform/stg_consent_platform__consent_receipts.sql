{{ config(enabled=source_is_on('consent_platform'), materialized='table') }}

{%- set identifier_types = ['email', 'phone', 'user_id', 'anonymous_id', 'loyalty_id'] %}
{%- set purposes = ['marketing', 'personalisation', 'profiling', 'ads'] %}
{%- set channels = ['email', 'sms', 'phone', 'post', 'any'] %}
{%- set actions = [
    'grant', 'deny', 'withdraw', 'object', 'doi_requested', 'doi_confirmed', 'gpc_signal', 'complaint', 'expire',
    'source_default'
] %}

with source as (
    {{ staged_rows(
        'consent_platform', 'consent_receipt', key='receipt_id', latest_by='loaded_at', country="split_part(jurisdiction, '-', 1)"
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
        timestamp=['occurred_at', 'effective_from', 'effective_to', 'loaded_at'],
        others=[
            ['identifier_type', 'unknown_value', 'known_identifier_type'],
            ['identifier_value', 'invalid_identifier', 'known_identifier_value'],
            ['purpose', 'unknown_value', to_accepted('purpose', purposes)],
            ['channel', 'unknown_value', to_accepted('channel', channels)],
            ['"action"', 'unknown_value', to_accepted('"action"', actions)],
        ]
    ) }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as receipt_id,

        -- attributes
        clean_identifier_type as identifier_type,
        clean_identifier_value as identifier_value,
        {{ to_text('brand') }} as brand,
        clean_purpose as purpose,
        clean_channel as channel,
        clean_action as consent_action,
        {{ to_text('legal_basis') }} as legal_basis,
        {{ to_text('notice_id') }} as notice_id,
        {{ to_text('notice_version') }} as notice_version,
        {{ to_text('method') }} as method,
        {{ to_text('actor') }} as actor,
        {{ to_upper(to_text('jurisdiction')) }} as jurisdiction,
        {{ to_text('raw_signal') }} as raw_signal,

        -- timestamps
        clean_occurred_at as occurred_at,
        clean_effective_from as effective_from,
        clean_effective_to as effective_to,
        clean_loaded_at as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
