with effects as (
    select * from {{ ref('int_consent_effects') }}
),

final as (
    {{ decide_consent('effects', ['identifier_type', 'identifier_value', 'purpose', 'channel']) }}
)

select * from final
