{#-
    The rows of a stream, wherever the target put them: the columns that sources.yml declares, of
    the types that it declares, and one row for each key. A column that was not selected is null,
    and a stream that never had a row has none, so that the models stand whatever was loaded.
-#}
{%- macro loaded(stream) -%}
    {%- set relation = source('twilio', stream) -%}
    {%- if execute -%}
        {%- set declared = declared_source(stream) -%}
        {%- if target.name == 'jsonl' -%}
            {{- rows_of_file(declared) -}}
        {%- else -%}
            {{- rows_of_table(declared, relation) -}}
        {%- endif -%}
    {%- endif -%}
{%- endmacro -%}


{%- macro declared_source(stream) -%}
    {{- return(
        graph.sources.values()
        | selectattr('package_name', 'equalto', 'twilio')
        | selectattr('name', 'equalto', stream)
        | first
    ) -}}
{%- endmacro -%}


{%- macro rows_of_file(declared) -%}
    {%- set path = env_var('TWILIO_JSONL', '../output') ~ '/' ~ declared.name ~ '.jsonl' -%}
    {%- set literal = "'" ~ path | replace("'", "''") ~ "'" -%}
    {%- if run_query('select count(*) from glob(' ~ literal ~ ')').columns[0].values()[0] == 0 -%}
        {{- no_rows(declared) -}}
    {%- else -%}
        select * exclude (line)
        from (
            select *, row_number() over () as line
            from read_json(
                {{ literal }},
                format = 'newline_delimited',
                columns = {
                    {%- for column in declared.columns.values() %}
                    '{{ column.name }}': '{{ column.data_type }}'{{ ',' if not loop.last }}
                    {%- endfor %}
                }
            )
        ) as lines
        -- The target only appends: what was written last is what Twilio said last.
        qualify
            row_number() over (partition by {{ declared.meta.key | join(', ') }} order by line desc) = 1
    {%- endif -%}
{%- endmacro -%}


{%- macro rows_of_table(declared, relation) -%}
    {%- set table = adapter.get_relation(relation.database, relation.schema, relation.identifier) -%}
    {%- if table is none -%}
        {{- no_rows(declared) -}}
    {%- else -%}
        {%- set types = {} -%}
        {%- for column in adapter.get_columns_in_relation(table) -%}
            {%- do types.update({column.name: column.dtype | lower}) -%}
        {%- endfor -%}
        select
            {%- for column in declared.columns.values() %}
            {%- set name = adapter.quote(column.name) %}
            {%- if column.name not in types %}
            cast(null as {{ column.data_type }}) as {{ name }}
            {%- elif column.data_type == 'timestamp' and 'time zone' in types[column.name]
                and 'without' not in types[column.name] %}
            {{ name }} at time zone 'UTC' as {{ name }}
            {%- else %}
            cast({{ name }} as {{ column.data_type }}) as {{ name }}
            {%- endif %}
            {{- ',' if not loop.last }}
            {%- endfor %}
        from {{ table }}
    {%- endif -%}
{%- endmacro -%}


{%- macro no_rows(declared) -%}
    select
        {%- for column in declared.columns.values() %}
        cast(null as {{ column.data_type }}) as {{ adapter.quote(column.name) }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    where false
{%- endmacro -%}
