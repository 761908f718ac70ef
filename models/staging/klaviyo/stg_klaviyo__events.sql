{{ config(enabled=source_is_on('klaviyo'), materialized='table') }}

with source as (
    {{ staged_rows('klaviyo', 'event', key='id', latest_by='_fivetran_synced') }}
),

metrics as (
    select
        metric_id,
        metric_name
    from {{ ref('stg_klaviyo__metrics') }}
),

valued as (
    {{ clean_values(
        'source', boolean=['_fivetran_deleted'], timestamp=['datetime', '"timestamp"', '_fivetran_synced']
    ) }}
),

cleaned as (
    select
        -- keys
        valued.row_key,
        valued.row_key as event_id,
        {{ to_text('valued.person_id') }} as person_id,
        {{ to_text('valued.campaign_id') }} as campaign_id,
        {{ to_text('valued.flow_id') }} as flow_id,

        -- attributes
        lower(replace(coalesce(metrics.metric_name, {{ to_text('valued."type"') }}), '_', ' ')) as event_name,
        {{ to_text('valued.property_campaign_name') }} as campaign_name,
        {{ regexp_replace_all(to_text('valued.property_url'), '(?s)[?#].*$', '') }} as link,

        -- flags
        coalesce(valued.clean__fivetran_deleted, false) as is_deleted,

        -- timestamps
        coalesce(valued.clean_datetime, valued.clean_timestamp) as occurred_at,
        valued.clean__fivetran_synced as loaded_at,

        -- accounting
        valued.collapsed_count,
        valued.unusable_values
    from valued
    left join metrics
        on metrics.metric_id = {{ to_text('valued.metric_id') }}
)

select * from cleaned
