{{ config(alias='account_history') }}

with loaded as (
    {{ loaded('accounts') }}
)

select
    sid as id,
    owner_account_sid as owner_account_id,
    friendly_name,
    status,
    type,
    date_created as created_at,
    date_updated as updated_at,
    cast(null as timestamp) as _fivetran_synced
from loaded
