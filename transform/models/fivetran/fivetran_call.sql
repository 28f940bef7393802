{{ config(alias='call') }}

select
    sid as id,
    account_sid as account_id,
    annotation,
    answered_by,
    caller_name,
    direction,
    duration,
    start_time,
    end_time,
    forwarded_from,
    "from",
    from_formatted,
    group_sid as group_id,
    phone_number_sid as outgoing_caller_id,
    parent_call_sid as parent_call_id,
    price,
    price_unit,
    queue_time,
    status,
    "to",
    to_formatted,
    trunk_sid as trunk_id,
    date_created as created_at,
    date_updated as updated_at,
    cast(null as timestamp) as _fivetran_synced
from {{ ref('calls_all') }}
