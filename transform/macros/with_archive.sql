{#-
    The rows of a stream, and those of the archive whose `sid` the stream lacks. Nothing is cut by
    time, so that nothing falls between. A row of the stream is preferred: it has all fields and
    the newest state. A row that is in several of the archive's files is taken from the newest.
-#}
{%- macro with_archive(stream, archive) -%}
with stream as (
    {{ loaded(stream) }}
),

archive as (
    {{ loaded(archive) }}
),

files as (
    select
        *,
        row_number() over (partition by sid order by day desc) as age
    from archive
)
{% if execute %}
{%- set archived = declared_source(archive).columns %}
select
    {%- for column in declared_source(stream).columns.values() %}
    {{ adapter.quote(column.name) }},
    {%- endfor %}
    cast('rest' as varchar) as source
from stream
union all
select
    {%- for column in declared_source(stream).columns.values() %}
    {%- set name = adapter.quote(column.name) %}
    {{ name if column.name in archived else 'cast(null as ' ~ column.data_type ~ ') as ' ~ name }},
    {%- endfor %}
    cast('archive' as varchar) as source
from files
where age = 1 and not exists (select 1 from stream where stream.sid = files.sid)
{%- endif %}
{%- endmacro -%}
