{{ union_contributions('consent_events') }}
