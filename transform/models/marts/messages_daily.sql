select
    day,
    account_sid,
    max(currency) as currency,
    {{ message_figures() }}
from {{ ref('messages') }}
group by day, account_sid
