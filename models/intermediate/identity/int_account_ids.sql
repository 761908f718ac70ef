{{ ids_that_last(
    ref('int_account_clusters'),
    ref('int_account_ids_prior'),
    ref('int_account_known_ids_prior'),
    ref('generation'),
    'account_id',
    'acc'
) }}
