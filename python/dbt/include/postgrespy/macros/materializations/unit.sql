{#-
    Unit tests, as dbt has them, with two differences. A test may have a name longer than the 63 letters
    of Postgres: it names no table that lasts. And numbers are compared as numbers: 10 is 10.00.
-#}
{% materialization unit, adapter="postgrespy" %}

    {%- set expected_rows = config.get('expected_rows') -%}
    {%- set expected_sql = config.get('expected_sql') -%}
    {%- set tested_columns = expected_rows[0].keys() if expected_rows | length > 0 else get_columns_in_query(sql) -%}

    {%- set temp_relation = make_temp_relation(this).incorporate(type='table') -%}
    {% do run_query(get_create_table_as_sql(True, temp_relation, get_empty_subquery_sql(sql))) %}
    {%- set types = {} -%}
    {%- set quoted = {} -%}
    {%- for column in adapter.get_columns_in_relation(temp_relation) -%}
        {%- do types.update({column.name | lower: column.data_type}) -%}
        {%- do quoted.update({column.name | lower: column.quoted}) -%}
    {%- endfor -%}

    {%- set compared = [] -%}
    {%- for name in tested_columns -%}
        {%- set column = quoted[name | lower] -%}
        {%- set is_numeric = types[name | lower].startswith('numeric') -%}
        {%- do compared.append('trim_scale(' ~ column ~ ') as ' ~ column if is_numeric else column) -%}
    {%- endfor -%}
    {% if not expected_sql %}
        {% set expected_sql = get_expected_sql(expected_rows, types, quoted) %}
    {% endif %}

    {% call statement('main', fetch_result=True) -%}
        {{ get_unit_test_sql(sql, expected_sql, compared) }}
    {%- endcall %}

    {% do adapter.drop_relation(temp_relation) %}

    {{ return({'relations': []}) }}
{% endmaterialization %}
