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

cleaned as (
    select
        -- keys
        source.row_key,
        source.row_key as event_id,
        {{ to_text('source.person_id') }} as person_id,
        {{ to_text('source.campaign_id') }} as campaign_id,
        {{ to_text('source.flow_id') }} as flow_id,

        -- attributes
        lower(replace(coalesce(metrics.metric_name, {{ to_text('source."type"') }}), '_', ' ')) as event_name,
        {{ to_text('source.property_campaign_name') }} as campaign_name,
        {{ regexp_replace_all(to_text('source.property_url'), '[?#].*$', '') }} as link,

        -- flags
        coalesce({{ to_boolean('source._fivetran_deleted') }}, false) as is_deleted,

        -- timestamps
        coalesce({{ to_timestamp('source.datetime') }}, {{ to_timestamp('source."timestamp"') }}) as occurred_at,
        {{ to_timestamp('source._fivetran_synced') }} as loaded_at,

        -- accounting
        source.collapsed_count,
        {{ unusable_values(
            boolean=['_fivetran_deleted'], timestamp=['datetime', '"timestamp"', '_fivetran_synced']
        ) }} as unusable_values
    from source
    left join metrics
        on metrics.metric_id = {{ to_text('source.metric_id') }}
)

select * from cleaned
