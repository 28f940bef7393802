{#-
    What each figure is, once. Models of single calls and messages have 0 or 1 in columns of these
    names, so the same sums and ratios hold for a day, an account, a number or a period.
-#}

{%- macro total(column) -%}
    cast(coalesce(sum({{ column }}), 0) as bigint) as {{ column }}
{%- endmacro -%}


{%- macro ratio(part, whole) -%}
    cast(sum({{ part }}) as double precision) / nullif(sum({{ whole }}), 0)
{%- endmacro -%}


{%- macro call_figures() -%}
    {{ total('calls') }},
    {{ total('inbound_calls') }},
    {{ total('outbound_calls') }},
    {{ total('ended_calls') }},
    {{ total('completed_calls') }},
    {{ total('ended_inbound_calls') }},
    {{ total('abandoned_calls') }},
    {{ total('recorded_calls') }},
    {{ total('talk_seconds') }},
    {{ total('unpriced_calls') }},
    coalesce(sum(call_cost), 0) as call_cost,
    {{ ratio('completed_calls', 'ended_calls') }} as completion_rate,
    {{ ratio('abandoned_calls', 'ended_inbound_calls') }} as abandon_rate,
    {{ ratio('talk_seconds', 'completed_calls') }} as average_call_seconds
{%- endmacro -%}


{%- macro message_figures() -%}
    {{ total('messages') }},
    {{ total('inbound_messages') }},
    {{ total('outbound_messages') }},
    {{ total('segments') }},
    {{ total('handed_over_messages') }},
    {{ total('delivered_messages') }},
    {{ total('failed_messages') }},
    {{ total('unpriced_messages') }},
    coalesce(sum(message_cost), 0) as message_cost,
    {{ ratio('delivered_messages', 'handed_over_messages') }} as delivery_rate
{%- endmacro -%}


{%- macro cost_figures() -%}
    -- Null, not 0, where usage was not loaded.
    sum(total_cost) as total_cost,
    sum(calls_usage_cost) as calls_usage_cost,
    sum(sms_usage_cost) as sms_usage_cost,
    sum(mms_usage_cost) as mms_usage_cost,
    sum(numbers_usage_cost) as numbers_usage_cost,
    sum(recordings_usage_cost) as recordings_usage_cost
{%- endmacro -%}
