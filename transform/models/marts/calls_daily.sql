select
    day,
    account_sid,
    max(currency) as currency,
    {{ call_figures() }}
from {{ ref('calls') }}
group by day, account_sid
