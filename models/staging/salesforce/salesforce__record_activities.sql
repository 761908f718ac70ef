{{ config(enabled=source_is_on('salesforce')) }}

with opportunities as (
    select
        *,
        {{ json_object({'stage': 'stage', 'amount': 'amount', 'is_closed': 'is_closed', 'is_won': 'is_won'}) }} as feature_json
    from {{ ref('stg_salesforce__opportunities') }}
    where not is_deleted
),

leads as (
    select
        *,
        {{ json_object({'status': 'status', 'lead_source': 'lead_source'}) }} as feature_json
    from {{ ref('stg_salesforce__leads') }}
    where not is_deleted
),

activities as (
    select
        'salesforce:opportunity:' || opportunity_id as object_id,
        'opportunity_created' as activity,
        cast(null as text) as record_id,
        account_id,
        created_at as occurred_at,
        feature_json,
        loaded_at
    from opportunities
    union all
    select
        'salesforce:opportunity:' || opportunity_id as object_id,
        case when is_won then 'opportunity_won' else 'opportunity_lost' end as activity,
        cast(null as text) as record_id,
        account_id,
        coalesce(closed_at, updated_at, loaded_at) as occurred_at,
        feature_json,
        loaded_at
    from opportunities
    where is_closed
    union all
    select
        record_id as object_id,
        'lead_created' as activity,
        record_id,
        converted_account_id as account_id,
        created_at as occurred_at,
        feature_json,
        loaded_at
    from leads
    union all
    select
        record_id as object_id,
        'lead_converted' as activity,
        record_id,
        converted_account_id as account_id,
        converted_at as occurred_at,
        feature_json,
        loaded_at
    from leads
    where is_converted
),

final as (
    select
        object_id || ':' || activity as activity_id,
        'salesforce' as source,
        occurred_at,
        activity,
        'crm' as channel,
        record_id,
        'salesforce:account:' || account_id as account_record_id,
        null as identifier_type,
        null as identifier_value,
        object_id,
        feature_json,
        null as revenue_impact,
        null as link,
        loaded_at
    from activities
    where
        occurred_at is not null
        and (record_id is not null or account_id is not null)
)

select * from final
