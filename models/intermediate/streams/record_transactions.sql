{{ union_contributions('record_transactions') }}
