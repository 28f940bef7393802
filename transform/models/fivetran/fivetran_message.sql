{{ config(alias='message') }}

select
    sid as id,
    account_sid as account_id,
    body,
    date_sent,
    direction,
    error_code,
    error_message,
    "from",
    messaging_service_sid,
    num_media,
    num_segments,
    price,
    price_unit,
    status,
    "to",
    date_created as created_at,
    date_updated as updated_at,
    cast(null as timestamp) as _fivetran_synced
from {{ ref('messages_all') }}
