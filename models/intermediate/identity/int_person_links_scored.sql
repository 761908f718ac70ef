{{ resolution_part(ref('int_person_resolution'), 'link', {
    'record_id_l': 'record_id_l',
    'record_id_r': 'record_id_r',
    'link_type': 'link_type',
    'rule': 'rule',
    'match_weight': 'match_weight',
    'field_weights': 'field_weights',
    'field_levels': 'field_levels',
    'rule_version': 'rule_version',
    'model_version': 'model_version'
}) }}
