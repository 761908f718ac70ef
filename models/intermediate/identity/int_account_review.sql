{{ resolution_part(ref('int_account_resolution'), 'review', {
    'priority': 'priority',
    'reason': 'reason',
    'record_id_l': 'record_id_l',
    'record_id_r': 'record_id_r',
    'match_weight': 'match_weight',
    'field_weights': 'field_weights',
    'record_count': 'record_count',
    'records_at_stake': 'records_at_stake',
    'doubt': 'doubt'
}) }}
