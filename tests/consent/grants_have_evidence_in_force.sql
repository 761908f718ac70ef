-- Every grant names as its evidence a grant of the ledger that is in force, and has not ended.
select
    consents.customer_consent_id,
    consents.consent_event_id
from {{ ref('customer_consents') }} as consents
left join {{ ref('consent_ledger') }} as ledger on ledger.consent_event_id = consents.consent_event_id
where
    consents.is_granted
    and (
        ledger.consent_event_id is null
        or ledger.effect <> 'grant'
        or not ledger.is_in_force
        or consents.expires_at <= {{ as_of() }}
    )
