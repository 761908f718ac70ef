{{ resolution_part(ref('int_account_resolution'), 'number', {
    'metric_name': 'metric_name', 'dimension': 'dimension', 'value': 'value'
}) }}
