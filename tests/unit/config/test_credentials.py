"""Who signs which request: never with credentials that would bring another account's rows."""

from __future__ import annotations

import pytest
from requests.auth import HTTPBasicAuth

from tap_twilio.config.credentials import ROOT_PRODUCT, Credentials
from tap_twilio.http.signatures import App

MAIN, GIVEN, LISTED, BOTH, UNKNOWN = "ACmain", "ACgiven", "AClisted", "ACboth", "ACunknown"
KEY = HTTPBasicAuth("SKmain", "secret")


def credentials():
    known = Credentials(
        MAIN, KEY, given={GIVEN: HTTPBasicAuth("SKgiven", "a"), BOTH: HTTPBasicAuth("SKboth", "b")}
    )
    for account in (LISTED, BOTH):
        known.learn(account, f"token of {account}")
    return known


@pytest.mark.parametrize(
    ("account", "root", "elsewhere"),
    [
        (None, "SKmain", "SKmain"),
        (MAIN, "SKmain", "SKmain"),
        (GIVEN, "SKgiven", "SKgiven"),
        (LISTED, "SKmain", LISTED),
        (BOTH, "SKboth", "SKboth"),
        (UNKNOWN, "SKmain", None),
    ],
)
def test_outside_the_2010_api_an_account_signs_for_itself(account, root, elsewhere):
    found = [credentials().sign(product, account) for product in (ROOT_PRODUCT, "studio")]

    assert [one and one.username for one in found] == [root, elsewhere]


@pytest.mark.parametrize(
    ("account", "root", "elsewhere"),
    [(MAIN, "SKmain", "SKmain"), (GIVEN, None, None), (LISTED, "SKmain", None)],
)
def test_credentials_that_were_refused_sign_nothing_more(account, root, elsewhere):
    known = credentials()
    known.refused.add(account)

    found = [known.sign(product, account) for product in (ROOT_PRODUCT, "studio")]

    assert [one and one.username for one in found] == [root, elsewhere]


def test_the_2010_api_is_the_one_whose_paths_name_the_account():
    assert ROOT_PRODUCT == "api"


def test_a_token_of_the_list_signs_by_its_account():
    known = credentials()

    signature = known.learn(UNKNOWN, "token")

    assert (signature.username, signature.password) == (UNKNOWN, "token")
    assert known.sign("studio", UNKNOWN) == signature


def test_the_token_that_came_first_stays():
    known = credentials()
    known.learn(LISTED, "another")

    assert known.sign("studio", LISTED).password == f"token of {LISTED}"


def test_the_accounts_own_token_takes_no_place_of_the_key_that_is_set():
    known = credentials()

    signature = known.learn(MAIN, "token")

    assert (signature.username, signature.password) == (MAIN, "token")
    assert known.sign("studio", MAIN) is KEY
    assert not known.signs_by_itself(MAIN)


@pytest.mark.parametrize(
    ("account", "does"), [(GIVEN, False), (LISTED, True), (BOTH, False), (UNKNOWN, False)]
)
def test_a_subaccount_signs_by_the_list_where_the_settings_give_nothing(account, does):
    assert credentials().signs_by_itself(account) is does


def test_an_app_signs_on_behalf_of_subaccounts_and_never_with_tokens_of_the_list():
    app = App("OQ1", "secret", "https://oauth.twilio.com/v2/token")
    given = HTTPBasicAuth("SKgiven", "a")
    known = Credentials(MAIN, app, given={GIVEN: given})
    known.learn(LISTED, "token")

    assert [known.sign(ROOT_PRODUCT, one) for one in (None, MAIN, LISTED)] == [app] * 3
    assert known.sign("studio", MAIN) is app
    assert known.sign("studio", LISTED) == app.on_behalf_of(LISTED)
    assert known.sign("studio", GIVEN) is given
    assert [known.signs_by_itself(one) for one in (MAIN, LISTED, GIVEN)] == [False, True, False]
    known.refused.add(LISTED)
    assert known.sign("studio", LISTED) is None


class Shown(HTTPBasicAuth):
    """A signature that shows its password."""

    def __repr__(self):
        return self.password


def test_no_secret_is_written_with_the_credentials():
    shown = Shown("SKshown", "secret")

    known = Credentials(MAIN, shown, given={GIVEN: shown}, listed={LISTED: shown})

    assert repr(shown) == "secret"
    assert "secret" not in repr(known)
