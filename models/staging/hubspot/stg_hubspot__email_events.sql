{{ config(enabled=source_is_on('hubspot'), materialized='table') }}

with source as (
    {{ staged_rows('hubspot', 'email_event', key='id', latest_by='_fivetran_synced') }}
),

valued as (
    {{ clean_values('source', email=['recipient'], boolean=['filtered_event'], timestamp=['created', '_fivetran_synced']) }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as email_event_id,
        {{ to_text('email_campaign_id') }} as email_campaign_id,

        -- attributes
        lower({{ to_text('"type"') }}) as event_type,
        clean_recipient as email,

        -- flags
        coalesce(clean_filtered_event, false) as is_filtered,

        -- timestamps
        clean_created as occurred_at,
        clean__fivetran_synced as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
