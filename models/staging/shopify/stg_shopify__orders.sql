{{ config(enabled=source_is_on('shopify'), materialized='table') }}

{%- set financial_statuses = [
    'paid', 'partially_refunded', 'refunded', 'pending', 'authorized', 'partially_paid', 'voided', 'expired'
] %}

with source as (
    {{ staged_rows('shopify', 'order', key='id', latest_by=['updated_at', '_fivetran_synced']) }}
),

-- the GraphQL layout and the REST layout name the same things differently
named as (
    select
        source.*,
        coalesce({{ to_text('total_price_set_shop_amount') }}, {{ to_text('total_price') }}) as raw_amount,
        coalesce(
            {{ to_text('total_price_set_shop_currency_code') }}, {{ to_text('currency_code') }}, {{ to_text('currency') }}
        ) as raw_currency,
        replace(
            coalesce({{ to_text('display_financial_status') }}, {{ to_text('financial_status') }}), ' ', '_'
        ) as raw_status
    from source
),

valued as (
    {{ clean_values(
        'named',
        email=['email'], number=['total_price_set_shop_amount', 'total_price'], boolean=['test', '_fivetran_deleted'],
        timestamp=['processed_at', 'created_at', 'cancelled_at', '_fivetran_synced'],
        others=[
            ['total_price_set_shop_currency_code', 'invalid_currency', to_currency('total_price_set_shop_currency_code')],
            ['currency_code', 'invalid_currency', to_currency('currency_code')],
            ['currency', 'invalid_currency', to_currency('currency')],
            ['display_financial_status', 'unknown_value', to_accepted("replace(" ~ trimmed('display_financial_status') ~ ", ' ', '_')", financial_statuses)],
            ['financial_status', 'unknown_value', to_accepted("replace(" ~ trimmed('financial_status') ~ ", ' ', '_')", financial_statuses)],
        ]
    ) }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as order_id,
        {{ to_text('customer_id') }} as customer_id,

        -- attributes
        clean_email as email,
        {{ to_text('"name"') }} as order_name,
        lower({{ to_text('source_name') }}) as source_name,
        {{ to_accepted('raw_status', financial_statuses) }} as financial_status,
        {{ to_currency('raw_currency') }} as currency,

        -- measures
        {{ to_amount('raw_amount') }} as amount,

        -- flags
        coalesce(clean_test, false) as is_test,
        coalesce(clean__fivetran_deleted, false) as is_deleted,

        -- timestamps
        coalesce(clean_processed_at, clean_created_at) as ordered_at,
        clean_cancelled_at as cancelled_at,
        clean__fivetran_synced as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
