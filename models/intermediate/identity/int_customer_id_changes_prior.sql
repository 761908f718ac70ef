{{ changes_as_left(
    'customer_id_changes',
    ref('int_person_id_ledger_prior'),
    ref('int_run_history_prior')
) }}
