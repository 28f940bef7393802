{{ config(alias='incoming_phone_number') }}

with loaded as (
    {{ loaded('incoming_phone_numbers') }}
)

select
    sid as id,
    account_sid as account_id,
    address_sid as address_id,
    address_requirements,
    beta,
    cast(cast(capabilities as json) ->> 'mms' as boolean) as capabilities_mms,
    cast(cast(capabilities as json) ->> 'sms' as boolean) as capabilities_sms,
    cast(cast(capabilities as json) ->> 'voice' as boolean) as capabilities_voice,
    emergency_address_sid as emergency_address_id,
    emergency_status,
    friendly_name,
    origin,
    phone_number,
    trunk_sid as trunk_id,
    voice_caller_id_lookup,
    voice_url,
    date_created as created_at,
    date_updated as updated_at,
    cast(null as timestamp) as _fivetran_synced
from loaded
