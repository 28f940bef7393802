-- Parts are never more than their whole.
select *
from {{ ref('daily') }}
where
    inbound_calls + outbound_calls <> calls
    or inbound_messages + outbound_messages <> messages
    or not coalesce(completion_rate between 0 and 1, true)
    or not coalesce(abandon_rate between 0 and 1, true)
    or not coalesce(delivery_rate between 0 and 1, true)
