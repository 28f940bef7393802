{{ config(alias='address') }}

with loaded as (
    {{ loaded('addresses') }}
)

select
    sid as id,
    account_sid as account_id,
    city,
    customer_name,
    emergency_enabled,
    friendly_name,
    iso_country,
    postal_code,
    region,
    street,
    validated,
    verified,
    date_created as created_at,
    date_updated as updated_at,
    cast(null as timestamp) as _fivetran_synced
from loaded
