{{ config(enabled=source_is_on('social')) }}

with submissions as (
    select * from {{ ref('stg_social__lead_form_submissions') }}
),

identifiers as (
    {{ identifiers_of('social', 'submissions', {
        'social_profile_id': ['social_profile_id'],
        'email': ['email'],
        'phone': ['phone']
    }, observed_at='submitted_at') }}
)

select * from identifiers
