select
    min(day) as first_day,
    max(day) as last_day,
    count(*) as days
from {{ ref('daily') }}
having count(*) <> max(day) - min(day) + 1
