{#-
    What hangs on a table stays when the table is made anew. dbt-postgres renames the old table and drops
    it with every view that reads it; two threads that do so at once can lock each other out, and a
    view of a BI tool is gone until its owner notices. Here views are pointed to the new table and
    grants are given again, in the transaction of the swap.
-#}

{#- The kind of a relation as the server has it now: table, view or materialized view; none where it is not there. -#}
{% macro postgrespy__kind_of(relation) -%}
    {%- set found = run_query("select relkind from pg_class where oid = to_regclass('" ~ relation | replace("'", "''") ~ "')").columns[0].values() -%}
    {{ return({'r': 'table', 'p': 'table', 'v': 'view', 'm': 'materialized view'}[found[0]] if found else none) }}
{%- endmacro %}


{#- Drop a relation that may be there, of whatever kind, with what hangs on it. -#}
{% macro postgrespy__drop_if_there(relation) -%}
    {%- set kind = postgrespy__kind_of(relation) -%}
    {%- if kind is not none -%}
        {%- do run_query('drop ' ~ kind ~ ' ' ~ relation ~ ' cascade') -%}
    {%- endif -%}
{%- endmacro %}


{#- Swaps wait for each other, so that no two hold what the other one needs. Lasts until the commit. -#}
{% macro postgrespy__wait_for_other_swaps() -%}
    {%- do run_query('select pg_advisory_xact_lock(7205759403792794)') -%}
{%- endmacro %}


{#-
    The views that read a relation directly, oldest first: each with its name, its definition, its owner
    and whether this run may replace it.
-#}
{% macro postgrespy__views_on(relation) -%}
    {%- set query -%}
        select
            format('%I.%I', namespaces.nspname, views.relname) as name,
            pg_get_viewdef(views.oid) as definition,
            pg_get_userbyid(views.relowner) as owner,
            pg_has_role(views.relowner, 'usage') as is_ours
        from pg_class as views
        inner join pg_namespace as namespaces on namespaces.oid = views.relnamespace
        where
            views.relkind = 'v'
            and views.oid in (
                select rules.ev_class
                from pg_rewrite as rules
                inner join pg_depend as needs
                    on needs.classid = 'pg_rewrite'::regclass and needs.objid = rules.oid
                where
                    needs.refclassid = 'pg_class'::regclass
                    and needs.refobjid = to_regclass('{{ relation | replace("'", "''") }}')
                    and rules.ev_class <> needs.refobjid
            )
        order by views.oid
    {%- endset -%}
    {{ return(run_query(query).rows) }}
{%- endmacro %}


{#- The statements that give one relation the grants that another has from its owner. -#}
{% macro postgrespy__grants_of(relation, target) -%}
    {%- set query -%}
        select format(
            'grant %s on table {{ target | replace("'", "''") | replace("%", "%%") }} to %s%s',
            lower(given.privilege_type),
            case when given.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(given.grantee)) end,
            case when given.is_grantable then ' with grant option' else '' end
        ) as statement
        from pg_class as tables
        cross join lateral aclexplode(tables.relacl) as given
        where
            tables.oid = to_regclass('{{ relation | replace("'", "''") }}')
            and given.grantee <> tables.relowner
        order by statement
    {%- endset -%}
    {{ return(run_query(query).columns[0].values()) }}
{%- endmacro %}


{#-
    Let `intermediate` take the place of `target`, in the open transaction. A view that the new table has
    no longer the columns for is dropped, with a warning.
-#}
{% macro postgrespy__swap(intermediate, target) -%}
    {%- do postgrespy__wait_for_other_swaps() -%}
    {%- set kind = postgrespy__kind_of(target) -%}
    {%- if kind not in (none, 'table') -%}
        {%- do postgrespy__drop_if_there(target) -%}
        {%- set kind = none -%}
    {%- endif -%}
    {%- if kind is none -%}
        {%- do run_query('alter table ' ~ intermediate ~ ' rename to ' ~ adapter.quote(target.identifier)) -%}
        {{ return('') }}
    {%- endif -%}
    {%- set views = postgrespy__views_on(target) -%}
    {%- if views | rejectattr('is_ours') | list -%}
        {%- do postgrespy__exchange_rows(intermediate, target, views | rejectattr('is_ours') | first) -%}
        {{ return('') }}
    {%- endif -%}
    {%- set grants = postgrespy__grants_of(target, target) -%}
    {%- set backup = make_backup_relation(target, 'table') -%}
    {%- do postgrespy__drop_if_there(backup) -%}
    {%- for view in views -%}
        {#- Changes nothing, but takes the view's lock before the table's, in the order that readers do. -#}
        {%- do run_query('alter view ' ~ view['name'] ~ ' reset (check_option)') -%}
    {%- endfor -%}
    {%- do run_query('alter table ' ~ target ~ ' rename to ' ~ adapter.quote(backup.identifier)) -%}
    {%- do run_query('alter table ' ~ intermediate ~ ' rename to ' ~ adapter.quote(target.identifier)) -%}
    {%- for view in views -%}
        {%- do postgrespy__repoint(view) -%}
    {%- endfor -%}
    {%- for statement in grants -%}{%- do run_query(statement) -%}{%- endfor -%}
    {%- do run_query('drop table ' ~ backup ~ ' cascade') -%}
{%- endmacro %}


{#-
    Put the rows of `intermediate` in the place of those of `target`. For a table that a view of somebody
    else reads, which only they may point to another table. Its columns must stay the same.
-#}
{% macro postgrespy__exchange_rows(intermediate, target, view) -%}
    {%- if postgrespy__columns(intermediate) != postgrespy__columns(target) -%}
        {%- do exceptions.raise_compiler_error('The columns of ' ~ target ~ ' change, and the view ' ~ view['name'] ~ ', which belongs to ' ~ view['owner'] ~ ', reads it. Have its owner drop it, build, and make it again.') -%}
    {%- endif -%}
    {%- do run_query('truncate table ' ~ target) -%}
    {%- do run_query('insert into ' ~ target ~ ' select * from ' ~ intermediate) -%}
    {%- do run_query('drop table ' ~ intermediate) -%}
    {%- do run_query('analyze ' ~ target) -%}
{%- endmacro %}


{#- The columns of a table in order, each with its type and whether it may be null. -#}
{% macro postgrespy__columns(relation) -%}
    {%- set query -%}
        select attname, format_type(atttypid, atttypmod) as type, attnotnull
        from pg_attribute
        where attrelid = to_regclass('{{ relation | replace("'", "''") }}') and attnum > 0 and not attisdropped
        order by attnum
    {%- endset -%}
    {{ return(run_query(query).rows | map('list') | list) }}
{%- endmacro %}


{#- Read a view's definition again, so that it means the tables that have the names now. -#}
{% macro postgrespy__repoint(view) -%}
    {%- set block -%}
        do $kindred_block$
        begin
            execute $kindred_view$create or replace view {{ view['name'] }} as {{ view['definition'] }}$kindred_view$;
        exception
            when undefined_column or invalid_table_definition or undefined_function or datatype_mismatch
            then execute $kindred_view$drop view {{ view['name'] }} cascade$kindred_view$;
        end
        $kindred_block$
    {%- endset -%}
    {%- do run_query(block) -%}
    {%- if run_query("select to_regclass('" ~ view['name'] | replace("'", "''") ~ "')").columns[0].values()[0] is none -%}
        {%- do exceptions.warn('The view ' ~ view['name'] ~ ' was dropped: ' ~ this ~ ' has no longer the columns it reads.') -%}
    {%- endif -%}
{%- endmacro %}


{#- Whether a view can be replaced by a query without dropping it: its columns are the query's first ones. -#}
{% macro postgrespy__is_replaceable(relation, sql) -%}
    {%- set probe = adapter.quote('kindred_probe_' ~ local_md5(relation | string)) -%}
    {%- do run_query('create temporary view ' ~ probe ~ ' as (' ~ sql ~ '\n)') -%}
    {%- set query -%}
        select count(*)
        from pg_attribute as held
        left join pg_attribute as wanted
            on
                wanted.attrelid = to_regclass('pg_temp.{{ probe }}')
                and wanted.attnum = held.attnum
                and wanted.attname = held.attname
                and wanted.atttypid = held.atttypid
                and wanted.atttypmod = held.atttypmod
                and wanted.attcollation = held.attcollation
        where held.attrelid = to_regclass('{{ relation | replace("'", "''") }}') and held.attnum > 0 and wanted.attnum is null
    {%- endset -%}
    {%- set unlike = run_query(query).columns[0].values()[0] -%}
    {%- do run_query('drop view pg_temp.' ~ probe) -%}
    {{ return(unlike == 0) }}
{%- endmacro %}
