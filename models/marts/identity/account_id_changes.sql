{{ id_changes(
    ref('int_account_id_ledger'),
    ref('int_run_history_prior'),
    ref('generation'),
    'account_id'
) }}
