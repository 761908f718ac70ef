{{ config(enabled=source_is_on('stripe'), materialized='table') }}

with source as (
    {{ staged_rows('stripe', 'refund', key='id', latest_by='_fivetran_synced') }}
),

valued as (
    {{ clean_values(
        'source',
        number=['amount'], timestamp=['created', '_fivetran_synced'],
        others=[['currency', 'invalid_currency', to_currency('currency')]]
    ) }}
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
        clean_currency as currency,

        -- measures
        {{ from_minor_units('clean_amount', 'currency') }} as amount,

        -- timestamps
        clean_created as created_at,
        clean__fivetran_synced as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
