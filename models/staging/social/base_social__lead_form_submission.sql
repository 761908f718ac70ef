{{ config(enabled=source_is_on('social')) }}

{{ base_table('social', 'lead_form_submission') }}
