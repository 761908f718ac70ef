{{ config(enabled=source_is_on('pos'), materialized='table') }}

{%- set types = ['sale', 'return'] %}

with source as (
    {{ staged_rows('pos', 'store_transaction', key='transaction_id', latest_by='loaded_at') }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as transaction_id,
        {{ to_text('loyalty_id') }} as loyalty_id,
        {{ to_text('store_id') }} as store_id,

        -- attributes
        {{ to_accepted('"type"', types) }} as transaction_type,
        {{ to_currency('currency') }} as currency,
        {{ to_text('payment_method') }} as payment_method,

        -- measures
        {{ to_amount('amount') }} as amount,
        {{ to_integer('item_count') }} as item_count,

        -- timestamps
        {{ to_timestamp('occurred_at') }} as occurred_at,
        {{ to_timestamp('loaded_at') }} as loaded_at,

        -- accounting
        collapsed_count,
        {{ unusable_values(
            number=['amount', 'item_count'], timestamp=['occurred_at', 'loaded_at'],
            others=[
                ['"type"', 'unknown_value', to_accepted('"type"', types)],
                ['currency', 'invalid_currency', to_currency('currency')]
            ]
        ) }} as unusable_values
    from source
)

select * from cleaned
