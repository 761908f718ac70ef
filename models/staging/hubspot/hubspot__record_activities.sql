{{ config(enabled=source_is_on('hubspot')) }}

with deals as (
    select * from {{ ref('stg_hubspot__deals') }}
    where not is_deleted
),

stages as (
    select * from {{ ref('stg_hubspot__deal_pipeline_stages') }}
),

deal_companies as (
    select
        *,
        row_number() over (
            partition by deal_id
            order by case when is_main_company then 0 else 1 end, company_id
        ) as company_rank
    from {{ ref('stg_hubspot__deal_companies') }}
),

email_events as (
    select
        *,
        {{ lookup('event_type', {
            'sent': 'email_sent',
            'delivered': 'email_delivered',
            'open': 'email_opened',
            'click': 'email_clicked',
            'bounce': 'email_bounced',
            'statuschange': 'email_unsubscribed',
            'spamreport': 'email_marked_spam',
        }) }} as activity
    from {{ ref('stg_hubspot__email_events') }}
    where not is_filtered
),

staged_deals as (
    select
        deals.deal_id,
        deal_companies.company_id,
        coalesce(stages.stage, deals.stage_id) as stage,
        deals.amount,
        coalesce(
            deals.is_closed,
            stages.is_closed,
            deals.stage_id in ('closedwon', 'closedlost'),
            false
        ) as is_closed,
        coalesce(deals.is_won, stages.is_won, deals.stage_id = 'closedwon', false) as is_won,
        deals.created_at,
        deals.closed_at,
        deals.loaded_at
    from deals
    left join stages
        on stages.stage_id = deals.stage_id
    left join deal_companies
        on
            deal_companies.deal_id = deals.deal_id
            and deal_companies.company_rank = 1
),

described_deals as (
    select
        *,
        {{ json_object({'stage': 'stage', 'amount': 'amount', 'is_closed': 'is_closed', 'is_won': 'is_won'}) }} as feature_json
    from staged_deals
),

activities as (
    select
        'hubspot:deal:' || deal_id as object_id,
        'hubspot:deal:' || deal_id || ':opportunity_created' as activity_id,
        'opportunity_created' as activity,
        'crm' as channel,
        company_id,
        cast(null as text) as email,
        created_at as occurred_at,
        feature_json,
        loaded_at
    from described_deals
    union all
    select
        'hubspot:deal:' || deal_id as object_id,
        'hubspot:deal:' || deal_id
        || case when is_won then ':opportunity_won' else ':opportunity_lost' end as activity_id,
        case when is_won then 'opportunity_won' else 'opportunity_lost' end as activity,
        'crm' as channel,
        company_id,
        cast(null as text) as email,
        coalesce(closed_at, loaded_at) as occurred_at,
        feature_json,
        loaded_at
    from described_deals
    where is_closed
    union all
    select
        'hubspot:email_campaign:' || email_campaign_id as object_id,
        'hubspot:email_event:' || email_event_id as activity_id,
        activity,
        'email' as channel,
        cast(null as text) as company_id,
        email,
        occurred_at,
        {{ json_object({'email_campaign_id': 'email_campaign_id'}) }} as feature_json,
        loaded_at
    from email_events
    where activity is not null and email is not null
),

final as (
    select
        activity_id,
        'hubspot' as source,
        occurred_at,
        activity,
        channel,
        null as record_id,
        'hubspot:company:' || company_id as account_record_id,
        case when email is not null then 'email' end as identifier_type,
        email as identifier_value,
        object_id,
        feature_json,
        null as revenue_impact,
        null as link,
        loaded_at
    from activities
    where
        occurred_at is not null
        and (company_id is not null or email is not null)
)

select * from final
