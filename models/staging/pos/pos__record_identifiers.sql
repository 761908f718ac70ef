{{ config(enabled=source_is_on('pos')) }}

with members as (
    select * from {{ ref('stg_pos__loyalty_members') }}
),

identifiers as (
    {{ identifiers_of('pos', 'members', {
        'loyalty_id': ['loyalty_id'],
        'email': ['email'],
        'phone': ['phone']
    }, observed_at='joined_at') }}
)

select * from identifiers
