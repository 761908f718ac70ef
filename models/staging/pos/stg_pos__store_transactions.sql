{{ config(enabled=source_is_on('pos'), materialized='table') }}

{%- set types = ['sale', 'return'] %}

with source as (
    {{ staged_rows('pos', 'store_transaction', key='transaction_id', latest_by='loaded_at') }}
),

valued as (
    {{ clean_values(
        'source',
        number=['amount', 'item_count'], timestamp=['occurred_at', 'loaded_at'],
        others=[
            ['"type"', 'unknown_value', to_accepted('"type"', types)],
            ['currency', 'invalid_currency', to_currency('currency')]
        ]
    ) }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as transaction_id,
        {{ to_text('loyalty_id') }} as loyalty_id,
        {{ to_text('store_id') }} as store_id,

        -- attributes
        clean_type as transaction_type,
        clean_currency as currency,
        {{ to_text('payment_method') }} as payment_method,

        -- measures
        {{ amount_of('clean_amount') }} as amount,
        {{ integer_of('clean_item_count') }} as item_count,

        -- timestamps
        clean_occurred_at as occurred_at,
        clean_loaded_at as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
