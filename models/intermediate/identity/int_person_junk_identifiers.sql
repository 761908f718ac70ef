{{ resolution_part(ref('int_person_resolution'), 'junk', {
    'identifier_type': 'identifier_type',
    'identifier_value': 'identifier_value',
    'decision': 'decision',
    'reason': 'reason',
    'record_count': 'record_count',
    'name_count': 'name_count',
    'name_limit': 'name_limit'
}) }}
