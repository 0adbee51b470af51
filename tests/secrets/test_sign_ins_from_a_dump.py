"""What of people's sign-ins stands in the database opens nothing: neither sessions, nor phones, nor recovery codes."""

import importlib
from binascii import unhexlify
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice, default_key

from config.sign_in.stored_sessions import SessionStore, stored
from merchants import sessions, two_factor
from merchants.models import Authenticator
from tests.people.signing import browser_at, code_of, phone

migration = importlib.import_module("merchants.migrations.0009_secrets_at_rest")
COOKIE = settings.SESSION_COOKIE_NAME


def is_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def test_what_stands_in_the_table_of_sessions_is_no_cookie(administrator: User) -> None:
    client = browser_at("root")
    assert is_in(client)
    kept = Session.objects.get().session_key
    assert kept != client.cookies[COOKIE].value
    thief = Client()
    for tried in (kept, stored(kept), Session.objects.get().session_data):
        thief.cookies[COOKIE] = tried
        assert not is_in(thief)
    assert is_in(client)


def test_a_session_from_before_the_hashing_opens_nothing(administrator: User) -> None:
    client = browser_at("root")
    row = Session.objects.get()
    Session.objects.create(session_key="k" * 32, session_data=row.session_data, expire_date=row.expire_date)
    old = Client()
    old.cookies[COOKIE] = "k" * 32
    assert not is_in(old)
    assert is_in(client)


def test_sessions_begin_change_their_key_and_end_as_before(administrator: User) -> None:
    client = browser_at("root")
    first = client.cookies[COOKIE].value
    client.get("/admin/")
    session = client.session
    assert session.exists(first)
    session.cycle_key()
    assert not session.exists(first)
    assert Session.objects.count() == 1
    client.cookies[COOKIE] = session.session_key
    assert is_in(client)
    client.post("/admin/logout/")
    assert not SessionStore().exists(session.session_key)
    assert sessions.end_all(administrator) == 0


@pytest.mark.django_db(transaction=True)
def test_the_asynchronous_ways_keep_the_same() -> None:
    async def goes_round() -> list[Any]:
        session = SessionStore()
        await session.aset("a", 1)
        await session.asave()
        again = SessionStore(session.session_key)
        said = [await again.aget("a"), await again.aexists(session.session_key)]
        await again.adelete()
        return [*said, await again.aexists(session.session_key), session.session_key]

    *said, key = async_to_sync(goes_round)()
    assert said == [1, True, False]
    assert not Session.objects.filter(session_key=key).exists()


def test_no_phone_can_be_made_of_its_row(administrator: User) -> None:
    device = phone(administrator)
    code = code_of(device)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p::text || s::text FROM otp_totp_totpdevice p"
            " JOIN merchants_authenticator s ON totpdevice_ptr_id = id"
        )
        (row,) = cursor.fetchone()
    assert device.secret not in row
    assert device.bin_key == unhexlify(device.secret)
    with pytest.raises(ValueError, match=r"[Nn]on-hex|Odd-length"):
        TOTPDevice.objects.get().verify_token(code)
    assert two_factor.check(administrator, code).device is not None
    assert TOTPDevice.objects.get().key == migration.SEALED, "using it leaves nothing readable either"


def test_recovery_codes_are_hashed_with_the_phone_s_key_and_go_with_it(administrator: User) -> None:
    phone(administrator)
    codes = two_factor.new_recovery_codes(administrator)
    kept = set(StaticToken.objects.values_list("token", flat=True))
    assert not kept & {code.replace("-", "") for code in codes}
    for token in kept:
        StaticDevice.objects.update(throttling_failure_timestamp=None)
        assert two_factor.check(administrator, token).device is None, "a row's own text is no code"
    StaticDevice.objects.update(throttling_failure_timestamp=None)
    Authenticator.objects.update(secret=default_key())
    assert two_factor.check(administrator, codes[0]).device is None


def test_phones_from_before_are_sealed_by_the_migration_and_go_on_working(administrator: User) -> None:
    key = default_key()
    device = TOTPDevice.objects.create(user=administrator, name="phone", key=key)
    StaticToken.objects.create(device=StaticDevice.objects.create(user=administrator, name="paper"), token="0" * 16)
    with connection.schema_editor() as editor:
        migration.seal(apps, editor)
        migration.seal(apps, editor)
    device.refresh_from_db()
    assert (device.key, Authenticator.objects.get().secret) == (migration.SEALED, key)
    assert not StaticToken.objects.exists()
    assert two_factor.check(administrator, code_of(Authenticator.objects.get())).device == Authenticator.objects.get()
    with connection.schema_editor() as editor:
        migration.open_again(apps, editor)
    device.refresh_from_db()
    assert device.key == key
