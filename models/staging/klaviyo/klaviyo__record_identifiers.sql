{{ config(enabled=source_is_on('klaviyo')) }}

with persons as (
    select * from {{ ref('stg_klaviyo__persons') }}
),

identifiers as (
    {{ identifiers_of('klaviyo', 'persons', {
        'klaviyo_id': ['person_id'],
        'email': ['email'],
        'phone': ['phone']
    }) }}
)

select * from identifiers
