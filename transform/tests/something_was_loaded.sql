-- A folder or schema that is another than was meant looks like an account without traffic.
{{ config(severity='warn') }}

select count(*) as days
from {{ ref('daily') }}
having count(*) = 0
