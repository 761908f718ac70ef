{{ union_contributions('record_activities') }}
