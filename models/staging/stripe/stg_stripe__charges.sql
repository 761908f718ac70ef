{{ config(enabled=source_is_on('stripe'), materialized='table') }}

with source as (
    {{ staged_rows('stripe', 'charge', key='id', latest_by='_fivetran_synced') }}
),

valued as (
    {{ clean_values(
        'source',
        email=['receipt_email'], number=['amount'], boolean=['paid', 'refunded', 'livemode'],
        timestamp=['created', '_fivetran_synced'],
        others=[['currency', 'invalid_currency', to_currency('currency')]]
    ) }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as charge_id,
        {{ to_text('customer_id') }} as customer_id,
        {{ to_text('invoice_id') }} as invoice_id,

        -- attributes
        clean_receipt_email as receipt_email,
        lower({{ to_text('status') }}) as status,
        clean_currency as currency,

        -- measures
        {{ from_minor_units('clean_amount', 'currency') }} as amount,

        -- flags
        coalesce(clean_paid, false) as is_paid,
        coalesce(clean_refunded, false) as is_refunded,
        coalesce(not clean_livemode, false) as is_test,

        -- timestamps
        clean_created as created_at,
        clean__fivetran_synced as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
