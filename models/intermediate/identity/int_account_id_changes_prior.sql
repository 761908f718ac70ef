{{ changes_as_left(
    'account_id_changes',
    ref('int_account_id_ledger_prior'),
    ref('int_run_history_prior')
) }}
