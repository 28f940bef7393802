-- Sums over accounts that are billed in different currencies would mean nothing.
with currencies as (
    select currency from {{ ref('calls_daily') }}
    union
    select currency from {{ ref('messages_daily') }}
    union
    select currency from {{ ref('costs_daily') }}
)

select count(*) as currencies
from currencies
where currency is not null
having count(*) > 1
