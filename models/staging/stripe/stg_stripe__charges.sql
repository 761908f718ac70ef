{{ config(enabled=source_is_on('stripe'), materialized='table') }}

with source as (
    {{ staged_rows('stripe', 'charge', key='id', latest_by='_fivetran_synced') }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as charge_id,
        {{ to_text('customer_id') }} as customer_id,
        {{ to_text('invoice_id') }} as invoice_id,

        -- attributes
        {{ to_email('receipt_email') }} as receipt_email,
        lower({{ to_text('status') }}) as status,
        {{ to_currency('currency') }} as currency,

        -- measures
        {{ from_minor_units('amount', 'currency') }} as amount,

        -- flags
        coalesce({{ to_boolean('paid') }}, false) as is_paid,
        coalesce({{ to_boolean('refunded') }}, false) as is_refunded,
        coalesce(not {{ to_boolean('livemode') }}, false) as is_test,

        -- timestamps
        {{ to_timestamp('created') }} as created_at,
        {{ to_timestamp('_fivetran_synced') }} as loaded_at,

        -- accounting
        collapsed_count,
        {{ unusable_values(
            email=['receipt_email'], number=['amount'], boolean=['paid', 'refunded', 'livemode'],
            timestamp=['created', '_fivetran_synced'],
            others=[['currency', 'invalid_currency', to_currency('currency')]]
        ) }} as unusable_values
    from source
)

select * from cleaned
