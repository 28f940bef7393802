select
    day,
    account_sid,
    max(currency) as currency,
    max(case when category = 'totalprice' then cost end) as total_cost,
    max(case when category = 'calls' then cost end) as calls_usage_cost,
    max(case when category = 'sms' then cost end) as sms_usage_cost,
    max(case when category = 'mms' then cost end) as mms_usage_cost,
    max(case when category = 'phonenumbers' then cost end) as numbers_usage_cost,
    max(case when category = 'recordings' then cost end) as recordings_usage_cost
from {{ ref('stg_usage_records_daily') }}
group by day, account_sid
