{{ config(enabled=source_is_on('social')) }}

with submissions as (
    select * from {{ ref('stg_social__lead_form_submissions') }}
),

engagements as (
    select * from {{ ref('stg_social__engagements') }}
),

things_done as (
    select
        'social:lead_form_submission:' || submission_id as activity_id,
        submitted_at as occurred_at,
        'lead_form_submitted' as activity,
        record_id,
        null as identifier_type,
        null as identifier_value,
        'social:form:' || form_id as object_id,
        {{ json_object({'platform': 'platform', 'form_name': 'form_name', 'campaign_name': 'campaign_name'}) }} as feature_json,
        null as link,
        loaded_at
    from submissions
    union all
    select
        'social:engagement:' || engagement_id as activity_id,
        occurred_at,
        'social_engaged' as activity,
        null as record_id,
        'social_profile_id' as identifier_type,
        social_profile_id as identifier_value,
        'social:post:' || post_id as object_id,
        {{ json_object({'platform': 'platform', 'action': 'engagement_type'}) }} as feature_json,
        post_url as link,
        loaded_at
    from engagements
    where social_profile_id is not null
),

activities as (
    select
        activity_id,
        'social' as source,
        occurred_at,
        activity,
        'social' as channel,
        record_id,
        null as account_record_id,
        identifier_type,
        identifier_value,
        object_id,
        feature_json,
        null as revenue_impact,
        link,
        loaded_at
    from things_done
    where occurred_at is not null
)

select * from activities
