{{ union_contributions('account_records') }}
