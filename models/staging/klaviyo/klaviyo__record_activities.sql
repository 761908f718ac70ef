{{ config(enabled=source_is_on('klaviyo')) }}

with events as (
    select
        *,
        {{ lookup('event_name', {
            'received email': 'email_delivered',
            'opened email': 'email_opened',
            'clicked email': 'email_clicked',
            'bounced email': 'email_bounced',
            'unsubscribed': 'email_unsubscribed',
            'unsubscribed from list': 'email_unsubscribed',
            'unsubscribed from email marketing': 'email_unsubscribed',
            'marked email as spam': 'email_marked_spam',
            'received sms': 'sms_sent',
            'clicked sms': 'sms_clicked',
        }) }} as activity
    from {{ ref('stg_klaviyo__events') }}
    where not is_deleted
),

final as (
    select
        'klaviyo:event:' || event_id as activity_id,
        'klaviyo' as source,
        occurred_at,
        activity,
        case when activity like 'sms_%' then 'sms' else 'email' end as channel,
        'klaviyo:person:' || person_id as record_id,
        null as account_record_id,
        null as identifier_type,
        null as identifier_value,
        'klaviyo:campaign:' || campaign_id as object_id,
        {{ json_object({'campaign_id': 'campaign_id', 'campaign_name': 'campaign_name', 'flow_id': 'flow_id'}) }} as feature_json,
        null as revenue_impact,
        link,
        loaded_at
    from events
    where activity is not null and person_id is not null and occurred_at is not null
)

select * from final
