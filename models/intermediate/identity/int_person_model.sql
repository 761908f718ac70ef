{{ resolution_part(ref('int_person_resolution'), 'model', {
    'model_version': 'model_version',
    'reason': 'choice',
    'value': 'cut',
    'settings': 'content',
    'policy': 'policy'
}) }}
