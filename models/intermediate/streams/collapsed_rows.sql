{{ union_contributions('collapsed_rows', every_source=true) }}
