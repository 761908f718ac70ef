-- Question: which customer did each record belong to after a past run?
-- Read: one row a record that was there then, with its customer of that time and the run since
-- which it had it. Put the number of the run (`run_history.generation`) in the place of 1;
-- 'account_id' and account_id_changes ask the same of companies. Join customer_id_map to see what
-- became of an id since.
{{ assignments_as_of(ref('customer_id_changes'), 'customer_id', 1) }}
order by record_id asc
