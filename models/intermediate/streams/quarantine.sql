{{ union_contributions('quarantine', every_source=true) }}
