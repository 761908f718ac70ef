{{ config(enabled=source_is_on('social')) }}

with submissions as (
    select * from {{ ref('stg_social__lead_form_submissions') }}
    where has_marketing_opt_in is not null
),

events as (
    select
        'social:lead_form_submission:' || submission_id || ':email' as consent_event_id,
        'social' as source,
        record_id,
        case
            when email is not null then 'email'
            when social_profile_id is not null then 'social_profile_id'
        end as identifier_type,
        coalesce(email, social_profile_id) as identifier_value,
        null as brand,
        'marketing' as purpose,
        'email' as channel,
        -- a box left empty is no refusal, and never a permission
        case when has_marketing_opt_in then 'grant' else 'source_default' end as action,
        case when has_marketing_opt_in then 'consent' end as legal_basis,
        submitted_at as occurred_at,
        submitted_at as effective_from,
        null as effective_to,
        form_id as notice_id,
        null as notice_version,
        'lead form' as method,
        null as actor,
        country_code as jurisdiction,
        'marketing_opt_in='
        || case when has_marketing_opt_in then 'true' else 'false' end as raw_signal,
        loaded_at
    from submissions
)

select * from events
