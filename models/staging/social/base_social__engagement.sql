{{ config(enabled=source_is_on('social')) }}

{{ base_table('social', 'engagement') }}
