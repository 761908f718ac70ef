{{ ids_that_last(
    ref('int_person_clusters'),
    ref('int_person_ids_prior'),
    ref('int_person_known_ids_prior'),
    ref('generation'),
    'customer_id',
    'cus'
) }}
