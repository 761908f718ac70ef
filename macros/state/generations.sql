{#-
    The incremental strategy `by_generation`: rows of the generations that int_<model>_prior lists stay,
    all others give way to the rows that the model selects. So nothing is left of a run that was
    killed, even where the next one has no row of that generation.
-#}
{% macro get_incremental_by_generation_sql(arg_dict) -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}
delete from {{ arg_dict['target_relation'] }}
where generation not in (select generation from {{ ref('int_' ~ model.name ~ '_prior') }});

insert into {{ arg_dict['target_relation'] }} ({{ columns }})
select {{ columns }} from {{ arg_dict['temp_relation'] }}
{%- endmacro %}
