{{ union_contributions('person_records') }}
