{{ config(materialized='view') }}

{{ resolution_part(ref('int_account_resolution'), 'cluster', {'record_id': 'record_id', 'entity': 'cluster_label'}) }}
