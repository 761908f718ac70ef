{{ config(enabled=source_is_on('stripe'), materialized='table') }}

with source as (
    {{ staged_rows('stripe', 'refund', key='id', latest_by='_fivetran_synced') }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as refund_id,
        {{ to_text('charge_id') }} as charge_id,

        -- attributes
        lower({{ to_text('status') }}) as status,
        {{ to_text('reason') }} as reason,
        {{ to_currency('currency') }} as currency,

        -- measures
        {{ from_minor_units('amount', 'currency') }} as amount,

        -- timestamps
        {{ to_timestamp('created') }} as created_at,
        {{ to_timestamp('_fivetran_synced') }} as loaded_at,

        -- accounting
        collapsed_count,
        {{ unusable_values(
            number=['amount'], timestamp=['created', '_fivetran_synced'],
            others=[['currency', 'invalid_currency', to_currency('currency')]]
        ) }} as unusable_values
    from source
)

select * from cleaned
