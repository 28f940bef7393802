"""Twilio's errors, with its codes and the shape of its bodies."""

from __future__ import annotations

from typing import Any


class TwilioError(Exception):
    """An answer that is no success.

    Args:
        status: The HTTP status.
        code: Twilio's own number for it.
        message: What went wrong.
    """

    def __init__(self, status: int, code: int, message: str) -> None:
        """Keep the three."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def body(self) -> dict[str, Any]:
        """Shape the error as Twilio's services do."""
        return {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }


def unauthenticated() -> TwilioError:
    """Wrong SID or secret, or a kind of key that may not come here."""
    return TwilioError(401, 20003, "Authenticate")


def forbidden() -> TwilioError:
    """A restricted key without this permission."""
    return TwilioError(403, 70051, "Authorization failed")


def suspended() -> TwilioError:
    """An account that is suspended."""
    return TwilioError(403, 20403, "Account is suspended")


def test_credentials() -> TwilioError:
    """Test credentials, which read nothing."""
    return TwilioError(403, 20008, "Resource not accessible with Test Account Credentials")


def not_found(path: str) -> TwilioError:
    """A path that leads to nothing."""
    return TwilioError(404, 20404, f"The requested resource {path} was not found")


def method_not_allowed() -> TwilioError:
    """Anything but reading."""
    return TwilioError(405, 20004, "Method not allowed")


def invalid(name: str, value: str) -> TwilioError:
    """A parameter whose value makes no sense."""
    return TwilioError(400, 20001, f"Invalid value for parameter {name}: {value}")


def missing(name: str) -> TwilioError:
    """A required parameter that is absent."""
    return TwilioError(400, 20001, f"Missing required parameter {name} in the query string")


def outside_retention(name: str, days: int) -> TwilioError:
    """A range that reaches back beyond what is kept."""
    return TwilioError(
        400, 20004, f"{name} is outside the retention window of the last {days} days"
    )


def unaligned(name: str) -> TwilioError:
    """A bound of usage by the day that is no midnight."""
    code = 83601 if name.startswith("Start") else 83602
    return TwilioError(400, code, f"{name} must be aligned with the granularity")


def page_too_large(maximum: int) -> TwilioError:
    """More rows a page than the endpoint gives."""
    return TwilioError(400, 20007, f"Page size too large, the maximum is {maximum}")


def page_without_token() -> TwilioError:
    """A page number that the client made up."""
    return TwilioError(400, 70002, "Paged requests must include a PageToken")


def bad_token() -> TwilioError:
    """A page token that this list never gave."""
    return TwilioError(400, 20001, "Invalid PageToken")


def beyond_cap(rows: int) -> TwilioError:
    """A list read past the number of rows that one query may give."""
    return TwilioError(
        400, 20001, f"Invalid page and pageSize combination, data is limited to {rows:,} results"
    )


def too_many_requests() -> TwilioError:
    """More requests at once than the account may have."""
    return TwilioError(429, 20429, "Too Many Requests")


def server_error(status: int) -> TwilioError:
    """Twilio's own trouble."""
    return TwilioError(status, 20000 + status, "Internal Server Error")
