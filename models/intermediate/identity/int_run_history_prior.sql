{{ previous('run_history', {'generation': 'bigint'}) }}
