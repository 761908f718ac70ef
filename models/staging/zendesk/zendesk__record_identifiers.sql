{{ config(enabled=source_is_on('zendesk')) }}

with users as (
    select * from {{ ref('stg_zendesk__users') }}
    where not is_staff
),

identifiers as (
    {{ identifiers_of('zendesk', 'users', {
        'zendesk_id': ['user_id'],
        'user_id': ['external_id'],
        'email': ['email'],
        'phone': ['phone']
    }) }}
)

select * from identifiers
