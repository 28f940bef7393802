{{ config(alias='messaging_service') }}

with loaded as (
    {{ loaded('messaging_services') }}
)

select
    sid as id,
    account_sid as account_id,
    area_code_geomatch,
    fallback_method,
    fallback_to_long_code,
    fallback_url,
    friendly_name,
    inbound_method,
    inbound_request_url,
    mms_converter,
    scan_message_content,
    smart_encoding,
    status_callback,
    sticky_sender,
    synchronous_validation,
    us_app_to_person_registered,
    use_inbound_webhook_on_number,
    usecase,
    validity_period,
    date_created as created_at,
    date_updated as updated_at,
    cast(null as timestamp) as _fivetran_synced
from loaded
