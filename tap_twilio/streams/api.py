"""The 2010 API (``api.twilio.com``): voice, messaging, numbers and usage."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from tap_twilio.resource.windows import DateFilter, Unit
from tap_twilio.streams.accounts import API, AccountStream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_twilio.streams.base import Record

DAY = timedelta(days=1)


# --- Voice -------------------------------------------------------------------------------------


class Calls(AccountStream):
    """Voice calls to, from and within an account."""

    name = "calls"
    path = f"{API}/Calls.json"
    replication_key = "start_time"
    window = DateFilter(
        "StartTime", undated={"Status": ("queued", "ringing", "canceled", "failed")}
    )
    lookback = 3 * DAY
    billed_as = ("calls",)


class CallFeedback(AccountStream):
    """Quality feedback of one call; most calls have none."""

    name = "call_feedback"
    parent_stream_type = Calls
    path = f"{API}/Calls/{{call_sid}}/Feedback.json"
    selected_by_default = False


class CallRecordings(AccountStream):
    """Recordings made of one call."""

    name = "call_recordings"
    parent_stream_type = Calls
    path = f"{API}/Calls/{{call_sid}}/Recordings.json"
    selected_by_default = False


class CallNotifications(AccountStream):
    """Errors and warnings that one call met."""

    name = "call_notifications"
    parent_stream_type = Calls
    path = f"{API}/Calls/{{call_sid}}/Notifications.json"
    selected_by_default = False


class CallEvents(AccountStream):
    """Requests that Twilio made to the application during one call, and their answers."""

    name = "call_events"
    parent_stream_type = Calls
    path = f"{API}/Calls/{{call_sid}}/Events.json"
    primary_keys = ("call_sid", "index")
    position_field = "index"
    selected_by_default = False


class Conferences(AccountStream):
    """Conference calls; in-progress and finished ones are separate lists at Twilio."""

    name = "conferences"
    path = f"{API}/Conferences.json"
    replication_key = "date_updated"
    window = DateFilter("DateUpdated", precision=Unit.DAY)
    lookback = DAY
    fan_out: ClassVar[Mapping[str, tuple[str, ...]]] = {
        # In the order in which a conference lives: one that moves on while the lists are read
        # is then seen in the later list, if it wasn't in the earlier.
        "Status": ("init", "in-progress", "completed"),
    }


class ConferenceParticipants(AccountStream):
    """Participants of a running conference; Twilio forgets them when it ends."""

    name = "conference_participants"
    parent_stream_type = Conferences
    path = f"{API}/Conferences/{{conference_sid}}/Participants.json"
    primary_keys = ("conference_sid", "call_sid")
    selected_by_default = False

    @classmethod
    @override
    def exists_for(cls, parent: Record) -> bool:
        return parent.get("status") != "completed"


class ConferenceRecordings(AccountStream):
    """Recordings made of one conference."""

    name = "conference_recordings"
    parent_stream_type = Conferences
    path = f"{API}/Conferences/{{conference_sid}}/Recordings.json"
    selected_by_default = False


class Recordings(AccountStream):
    """Recordings of calls and conferences."""

    name = "recordings"
    path = f"{API}/Recordings.json"
    replication_key = "date_created"
    window = DateFilter("DateCreated")
    lookback = 3 * DAY
    switches: ClassVar[Mapping[str, str]] = {"include_deleted_recordings": "IncludeSoftDeleted"}


class RecordingTranscriptions(AccountStream):
    """Text made from one recording."""

    name = "recording_transcriptions"
    parent_stream_type = Recordings
    path = f"{API}/Recordings/{{recording_sid}}/Transcriptions.json"
    selected_by_default = False


class RecordingAddOnResults(AccountStream):
    """What add-ons made of one recording."""

    name = "recording_add_on_results"
    parent_stream_type = Recordings
    path = f"{API}/Recordings/{{reference_sid}}/AddOnResults.json"
    selected_by_default = False


class RecordingAddOnPayloads(AccountStream):
    """Parts of an add-on's result, without their content."""

    name = "recording_add_on_payloads"
    parent_stream_type = RecordingAddOnResults
    path = f"{API}/Recordings/{{reference_sid}}/AddOnResults/{{add_on_result_sid}}/Payloads.json"
    selected_by_default = False


class Transcriptions(AccountStream):
    """Text made from recordings."""

    name = "transcriptions"
    path = f"{API}/Transcriptions.json"


class Notifications(AccountStream):
    """Errors and warnings that Twilio logged for an account."""

    name = "notifications"
    path = f"{API}/Notifications.json"
    replication_key = "message_date"
    window = DateFilter("MessageDate", precision=Unit.DAY)
    lookback = DAY


class Queues(AccountStream):
    """Queues in which callers wait."""

    name = "queues"
    path = f"{API}/Queues.json"


class QueueMembers(AccountStream):
    """Calls that wait in a queue now."""

    name = "queue_members"
    parent_stream_type = Queues
    path = f"{API}/Queues/{{queue_sid}}/Members.json"
    primary_keys = ("queue_sid", "call_sid")
    selected_by_default = False


class OutgoingCallerIds(AccountStream):
    """Verified numbers that an account may show as its caller ID."""

    name = "outgoing_caller_ids"
    path = f"{API}/OutgoingCallerIds.json"


class Applications(AccountStream):
    """TwiML applications: sets of webhook URLs."""

    name = "applications"
    path = f"{API}/Applications.json"


# --- Messaging ---------------------------------------------------------------------------------


class Messages(AccountStream):
    """SMS, MMS and channel messages, sent and received."""

    name = "messages"
    path = f"{API}/Messages.json"
    replication_key = "date_sent"
    window = DateFilter("DateSent", retention=400 * DAY, undated={})
    lookback = 15 * DAY
    unsettled_statuses = frozenset({"accepted", "queued", "scheduled", "sending"})
    billed_as = ("sms", "mms")


class MessageMedia(AccountStream):
    """Media attached to a message; asked for only where the message has any."""

    name = "message_media"
    parent_stream_type = Messages
    path = f"{API}/Messages/{{message_sid}}/Media.json"
    selected_by_default = False

    @classmethod
    @override
    def exists_for(cls, parent: Record) -> bool:
        return parent.get("num_media") != 0


class ShortCodes(AccountStream):
    """Short codes that an account may send from."""

    name = "short_codes"
    path = f"{API}/SMS/ShortCodes.json"
    selected_by_default = False


# --- Numbers and addresses ---------------------------------------------------------------------


class IncomingPhoneNumbers(AccountStream):
    """Phone numbers that an account owns."""

    name = "incoming_phone_numbers"
    path = f"{API}/IncomingPhoneNumbers.json"


class IncomingPhoneNumberAssignedAddOns(AccountStream):
    """Add-ons that look at what comes in at one phone number."""

    name = "incoming_phone_number_assigned_add_ons"
    parent_stream_type = IncomingPhoneNumbers
    path = f"{API}/IncomingPhoneNumbers/{{resource_sid}}/AssignedAddOns.json"
    primary_keys = ("resource_sid", "sid")
    selected_by_default = False


class IncomingPhoneNumberAssignedAddOnExtensions(AccountStream):
    """Products in which a phone number's add-on is used."""

    name = "incoming_phone_number_assigned_add_on_extensions"
    parent_stream_type = IncomingPhoneNumberAssignedAddOns
    path = (
        f"{API}/IncomingPhoneNumbers/{{resource_sid}}"
        "/AssignedAddOns/{assigned_add_on_sid}/Extensions.json"
    )
    primary_keys = ("resource_sid", "assigned_add_on_sid", "sid")
    selected_by_default = False


class Addresses(AccountStream):
    """Postal addresses, as regulators ask for them."""

    name = "addresses"
    path = f"{API}/Addresses.json"


class DependentPhoneNumbers(AccountStream):
    """Phone numbers that depend on an address."""

    name = "dependent_phone_numbers"
    parent_stream_type = Addresses
    path = f"{API}/Addresses/{{address_sid}}/DependentPhoneNumbers.json"
    primary_keys = ("address_sid", "sid")
    selected_by_default = False


class AvailablePhoneNumberCountries(AccountStream):
    """Countries in which Twilio sells numbers to an account."""

    name = "available_phone_number_countries"
    path = f"{API}/AvailablePhoneNumbers.json"
    primary_keys = ("account_sid", "country_code")
    selected_by_default = False


class _AvailablePhoneNumbers(AccountStream):
    """A sample of the numbers for sale in a country; Twilio gives another at every call."""

    parent_stream_type = AvailablePhoneNumberCountries
    parent_field = "country_code"
    primary_keys = ("account_sid", "country_code", "phone_number")
    selected_by_default = False
    kind: ClassVar[str]

    @classmethod
    @override
    def exists_for(cls, parent: Record) -> bool:
        kinds = parent.get("subresource_uris")
        return not isinstance(kinds, dict) or cls.kind in kinds


class AvailablePhoneNumbersLocal(_AvailablePhoneNumbers):
    """Local numbers for sale: a sample of each country's inventory."""

    name = "available_phone_numbers_local"
    path = f"{API}/AvailablePhoneNumbers/{{country_code}}/Local.json"
    kind = "local"


class AvailablePhoneNumbersMobile(_AvailablePhoneNumbers):
    """Mobile numbers for sale: a sample of each country's inventory."""

    name = "available_phone_numbers_mobile"
    path = f"{API}/AvailablePhoneNumbers/{{country_code}}/Mobile.json"
    kind = "mobile"


class AvailablePhoneNumbersTollFree(_AvailablePhoneNumbers):
    """Toll-free numbers for sale: a sample of each country's inventory."""

    name = "available_phone_numbers_toll_free"
    path = f"{API}/AvailablePhoneNumbers/{{country_code}}/TollFree.json"
    kind = "toll_free"


class AvailablePhoneNumbersNational(_AvailablePhoneNumbers):
    """Numbers for sale that belong to no place: a sample of each country's inventory."""

    name = "available_phone_numbers_national"
    path = f"{API}/AvailablePhoneNumbers/{{country_code}}/National.json"
    kind = "national"


class AvailablePhoneNumbersMachineToMachine(_AvailablePhoneNumbers):
    """Numbers for devices, for sale: a sample of each country's inventory."""

    name = "available_phone_numbers_machine_to_machine"
    path = f"{API}/AvailablePhoneNumbers/{{country_code}}/MachineToMachine.json"
    kind = "machine_to_machine"


class AvailablePhoneNumbersSharedCost(_AvailablePhoneNumbers):
    """Numbers for sale whose callers bear a part: a sample of each country's inventory."""

    name = "available_phone_numbers_shared_cost"
    path = f"{API}/AvailablePhoneNumbers/{{country_code}}/SharedCost.json"
    kind = "shared_cost"


class AvailablePhoneNumbersVoip(_AvailablePhoneNumbers):
    """Numbers for Internet telephony, for sale: a sample of each country's inventory."""

    name = "available_phone_numbers_voip"
    path = f"{API}/AvailablePhoneNumbers/{{country_code}}/Voip.json"
    kind = "voip"


# --- SIP ---------------------------------------------------------------------------------------


class SipCredentialLists(AccountStream):
    """Lists of user names that SIP domains let in."""

    name = "sip_credential_lists"
    path = f"{API}/SIP/CredentialLists.json"
    selected_by_default = False


class SipCredentials(AccountStream):
    """User names in a credential list, without their passwords."""

    name = "sip_credentials"
    parent_stream_type = SipCredentialLists
    path = f"{API}/SIP/CredentialLists/{{credential_list_sid}}/Credentials.json"
    selected_by_default = False


class SipIpAccessControlLists(AccountStream):
    """Lists of IP addresses that SIP domains let in."""

    name = "sip_ip_access_control_lists"
    path = f"{API}/SIP/IpAccessControlLists.json"
    selected_by_default = False


class SipIpAddresses(AccountStream):
    """IP addresses in an access control list."""

    name = "sip_ip_addresses"
    parent_stream_type = SipIpAccessControlLists
    path = f"{API}/SIP/IpAccessControlLists/{{ip_access_control_list_sid}}/IpAddresses.json"
    selected_by_default = False


class SipDomains(AccountStream):
    """SIP domains: where one's own SIP devices reach Twilio."""

    name = "sip_domains"
    path = f"{API}/SIP/Domains.json"
    selected_by_default = False


class _SipMapping(AccountStream):
    """A list that a SIP domain uses; its SID is the list's own, so it recurs across domains."""

    parent_stream_type = SipDomains
    primary_keys = ("domain_sid", "sid")
    selected_by_default = False


class SipAuthCallsCredentialListMappings(_SipMapping):
    """Credential lists that let calls into a SIP domain."""

    name = "sip_auth_calls_credential_list_mappings"
    path = f"{API}/SIP/Domains/{{domain_sid}}/Auth/Calls/CredentialListMappings.json"


class SipAuthCallsIpAccessControlListMappings(_SipMapping):
    """Lists of IP addresses that let calls into a SIP domain."""

    name = "sip_auth_calls_ip_access_control_list_mappings"
    path = f"{API}/SIP/Domains/{{domain_sid}}/Auth/Calls/IpAccessControlListMappings.json"


class SipAuthRegistrationsCredentialListMappings(_SipMapping):
    """Credential lists by which devices register at a SIP domain."""

    name = "sip_auth_registrations_credential_list_mappings"
    path = f"{API}/SIP/Domains/{{domain_sid}}/Auth/Registrations/CredentialListMappings.json"


class SipCredentialListMappings(_SipMapping):
    """Credential lists of a SIP domain, by the older path."""

    name = "sip_credential_list_mappings"
    path = f"{API}/SIP/Domains/{{domain_sid}}/CredentialListMappings.json"


class SipIpAccessControlListMappings(_SipMapping):
    """Lists of IP addresses of a SIP domain, by the older path."""

    name = "sip_ip_access_control_list_mappings"
    path = f"{API}/SIP/Domains/{{domain_sid}}/IpAccessControlListMappings.json"


# --- Account and usage -------------------------------------------------------------------------


class Keys(AccountStream):
    """API keys of an account, without their secrets."""

    name = "keys"
    path = f"{API}/Keys.json"


class SigningKeys(AccountStream):
    """API keys by the older path, without their secrets."""

    name = "signing_keys"
    path = f"{API}/SigningKeys.json"
    selected_by_default = False


class ConnectApps(AccountStream):
    """Apps of an account that others can authorize to act for them."""

    name = "connect_apps"
    path = f"{API}/ConnectApps.json"
    selected_by_default = False


class AuthorizedConnectApps(AccountStream):
    """Apps of others that an account has authorized to act for it."""

    name = "authorized_connect_apps"
    path = f"{API}/AuthorizedConnectApps.json"
    primary_keys = ("account_sid", "connect_app_sid")
    selected_by_default = False


class Balance(AccountStream):
    """An account's balance at the moment of reading."""

    name = "balance"
    path = f"{API}/Balance.json"
    primary_keys = ("account_sid",)


class UsageTriggers(AccountStream):
    """Webhooks that fire when usage passes a value."""

    name = "usage_triggers"
    path = f"{API}/Usage/Triggers.json"


class _Usage(AccountStream):
    """Usage and cost by category; categories overlap, so their rows don't add up."""

    primary_keys = ("account_sid", "category", "start_date", "end_date")
    # Twilio adds the subaccounts' usage to their parent's unless told not to, and the
    # subaccounts are read too.
    params: ClassVar[Mapping[str, str]] = {"IncludeSubaccounts": "false"}
    # A period before the account was made, or without usage, is answered with 404.
    absent_is_empty = True
    # Larger pages of usage are known to end in HTTP 500.
    page_size = 500
    selected_by_default = False


class UsageRecords(_Usage):
    """Usage by category, summed over the whole time from ``start_date`` to ``end_date``."""

    name = "usage_records"
    path = f"{API}/Usage/Records.json"
    span = DateFilter(after="StartDate", before="EndDate", precision=Unit.DAY)


class UsageRecordsDaily(_Usage):
    """Usage by category and day."""

    name = "usage_records_daily"
    path = f"{API}/Usage/Records/Daily.json"
    replication_key = "start_date"
    window = DateFilter(
        after="StartDate", before="EndDate", precision=Unit.DAY, longest=366 * DAY, closed=True
    )
    lookback = 3 * DAY
    selected_by_default = True


class UsageRecordsMonthly(_Usage):
    """Usage by category and month; a month's row changes until its invoice is made."""

    name = "usage_records_monthly"
    path = f"{API}/Usage/Records/Monthly.json"
    replication_key = "start_date"
    window = DateFilter(after="StartDate", before="EndDate", precision=Unit.MONTH, closed=True)
    lookback = 35 * DAY


class UsageRecordsYearly(_Usage):
    """Usage by category and year."""

    name = "usage_records_yearly"
    path = f"{API}/Usage/Records/Yearly.json"
    replication_key = "start_date"
    window = DateFilter(after="StartDate", before="EndDate", precision=Unit.YEAR, closed=True)
    lookback = 35 * DAY


class UsageRecordsAllTime(_Usage):
    """Usage by category since the account was made."""

    name = "usage_records_all_time"
    path = f"{API}/Usage/Records/AllTime.json"


class UsageRecordsToday(_Usage):
    """Usage by category of this day (GMT), so far."""

    name = "usage_records_today"
    path = f"{API}/Usage/Records/Today.json"


class UsageRecordsYesterday(_Usage):
    """Usage by category of the day before (GMT)."""

    name = "usage_records_yesterday"
    path = f"{API}/Usage/Records/Yesterday.json"


class UsageRecordsThisMonth(_Usage):
    """Usage by category of this month (GMT), so far."""

    name = "usage_records_this_month"
    path = f"{API}/Usage/Records/ThisMonth.json"


class UsageRecordsLastMonth(_Usage):
    """Usage by category of the month before (GMT)."""

    name = "usage_records_last_month"
    path = f"{API}/Usage/Records/LastMonth.json"
