{{ id_changes(
    ref('int_person_id_ledger'),
    ref('int_run_history_prior'),
    ref('generation'),
    'customer_id'
) }}
