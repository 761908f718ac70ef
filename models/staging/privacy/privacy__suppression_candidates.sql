{{ union_contributions('suppression_candidates', every_source=true) }}
