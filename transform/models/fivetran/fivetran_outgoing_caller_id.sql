{{ config(alias='outgoing_caller_id') }}

with loaded as (
    {{ loaded('outgoing_caller_ids') }}
)

select
    sid as id,
    friendly_name,
    phone_number,
    date_created as created_at,
    date_updated as updated_at,
    cast(null as timestamp) as _fivetran_synced
from loaded
