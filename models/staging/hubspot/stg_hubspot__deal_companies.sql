{{ config(enabled=source_is_on('hubspot'), materialized='table') }}

with source as (
    {{ staged_rows('hubspot', 'deal_company', key=['deal_id', 'company_id'], latest_by='_fivetran_synced') }}
),

valued as (
    {{ clean_values('source', timestamp=['_fivetran_synced']) }}
),

raw_rows as (
    select * from {{ ref('base_hubspot__deal_company') }}
),

main_companies as (
    -- One pair often stands in two rows, of which only one says that the company is the main one.
    select {{ row_key(['deal_id', 'company_id'], 'raw_rows') }} as row_key
    from raw_rows
    where {{ to_number('type_id') }} = 5
    group by {{ row_key(['deal_id', 'company_id'], 'raw_rows') }}
),

cleaned as (
    select
        -- keys
        valued.row_key,
        {{ to_text('valued.deal_id') }} as deal_id,
        {{ to_text('valued.company_id') }} as company_id,

        -- flags
        main_companies.row_key is not null as is_main_company,

        -- timestamps
        valued.clean__fivetran_synced as loaded_at,

        -- accounting
        valued.collapsed_count,
        valued.unusable_values
    from valued
    left join main_companies
        on main_companies.row_key = valued.row_key
)

select * from cleaned
