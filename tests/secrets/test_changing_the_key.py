"""A new encryption key takes the place of the old one while the portal works, and nothing is lost or done twice."""

import io
import os
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection, models, transaction
from django.utils import timezone

from coupons.models import IssuedCoupon
from integrations.models import ApiAnswer, ApiKey, PushAnswer, SignatureSeen
from integrations.outbox import doorbell
from integrations.partner_api.keys import found_by
from integrations.smart_coupon import tokens
from merchants import reencrypting, two_factor
from merchants.erasing import of_names
from merchants.models import Erasure, SmartCouponAccount
from merchants.secrets import keyed_hashes
from tests import documented
from tests.api.caller import issue_body
from tests.factories import published
from tests.hooks.helpers import address_of, callback, close_connection, create_push, give_push, post, tell
from tests.people.signing import code_of
from tests.secrets.everything import ERASED, Everything, make_everything, opened, stored

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
DONE = "Nothing hangs on an older key: every key but the first can be removed."


@pytest.fixture(autouse=True)
def _nobody_is_rung(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorbell, "ring", lambda *args: True)


@pytest.fixture
def keys(settings: LazySettings) -> Callable[..., None]:
    """Configure these keys, newest first."""

    def configure(*configured: str) -> None:
        settings.FIELD_ENCRYPTION_KEYS = list(configured)

    return configure


@pytest.fixture
def there(keys: Any, administrator: User) -> Everything:
    """Everything, under the old key; the new one has been put in front of it."""
    keys(OLD)
    made = make_everything(administrator)
    keys(NEW, OLD)
    return made


def reencrypt(*options: str) -> list[str]:
    out = io.StringIO()
    call_command("reencrypt", *options, stdout=out)
    return out.getvalue().splitlines()


def still_needed() -> list[str]:
    """What the dry run says, which fails."""
    out = io.StringIO()
    with pytest.raises(CommandError, match="still needed"):
        call_command("reencrypt", "--dry-run", stdout=out)
    return [line.strip() for line in out.getvalue().splitlines() if line.startswith("  ")]


def test_afterwards_the_old_key_can_go_and_everything_still_opens(
    there: Everything, administrator: User, keys: Any
) -> None:
    before = opened()
    assert all(any(row[at] for row in rows) for rows in before.values() for at in range(len(rows[0]))), before
    assert len(still_needed()) == 1
    reencrypt()
    assert reencrypt("--dry-run")[-1] == DONE
    keys(NEW)
    assert opened() == before
    account, template = there.platform, published(merchant=there.merchant)
    assert post(address_of(account), create_push()).status_code == 200
    assert tokens.account_of("tok-before-012345") == account
    assert there.api.get("me/").status_code != 401
    assert there.api.post("coupons/", issue_body(template.coupon_id)).status_code == 201
    assert tell(callback(there.tills, IssuedCoupon.objects.get().code)).json()["resultCode"] == "000"
    assert of_names([ERASED]).count() == 1
    assert two_factor.check(administrator, code_of(there.phone)).device == there.phone


def test_the_new_key_alone_is_what_opens_it(there: Everything, keys: Any) -> None:
    reencrypt()
    hashes = (keyed_hashes(there.platform.token), found_by(there.api.key))
    keys(OLD)
    assert SmartCouponAccount.objects.values_list("token_hash").filter(token_hash__in=hashes[0]).count() == 1
    assert tokens.account_of(there.platform.token) is None
    assert not ApiKey.objects.filter(key_hash__in=found_by(there.api.key)).exists()
    for model in reencrypting.models_with_secrets():
        for row in reencrypting.go_through(change=False):
            assert row.model is not model or len(row.lost) == row.rows > 0


def test_the_dry_run_changes_nothing_and_the_run_only_what_hangs_on_the_old_key(there: Everything) -> None:
    before = stored()
    still_needed()
    assert stored() == before
    reencrypt()
    after = stored()
    assert after != before
    said = reencrypt()
    assert stored() == after, "a second run finds nothing"
    assert said[-1] == DONE
    assert sum(int(line.split()[3]) for line in said[:-1]) == 0


def test_a_run_that_is_broken_off_is_gone_on_with(there: Everything, monkeypatch: pytest.MonkeyPatch) -> None:
    row, seen = reencrypting._row, []

    def broken(*args: Any, **options: Any) -> None:
        seen.append(1)
        if len(seen) == 6:
            raise KeyboardInterrupt
        row(*args, **options)

    monkeypatch.setattr(reencrypting, "BATCH", 1)
    monkeypatch.setattr(reencrypting, "_row", broken)
    with pytest.raises(KeyboardInterrupt):
        reencrypt()
    monkeypatch.setattr(reencrypting, "_row", row)
    left = sum(outcome.older for outcome in reencrypting.go_through(change=False))
    assert 0 < left < sum(outcome.rows for outcome in reencrypting.go_through(change=False))
    reencrypt()
    assert reencrypt("--dry-run")[-1] == DONE


def test_one_key_alone_hangs_on_no_other(there: Everything, keys: Any) -> None:
    keys(OLD)
    assert reencrypt("--dry-run")[-1] == "There is one key only, and it opens everything."


def test_rows_that_no_key_opens_are_named_and_stop_nothing(there: Everything, keys: Any) -> None:
    keys(NEW)
    with pytest.raises(CommandError, match=f"merchants.DfireAccount {there.tills.pk}"):
        reencrypt()
    keys(NEW, OLD)
    reencrypt()


def test_what_counts_for_a_while_only_is_named_until_it_does_not(there: Everything, keys: Any) -> None:
    keys(OLD)
    template = published(merchant=there.merchant)
    push, call = give_push(template.coupon_id), issue_body(template.coupon_id)
    address = address_of(there.platform, "coupon-detail")
    first = post(address, push)
    answer = there.api.post("coupons/", call, idempotency_key="once")
    SignatureSeen.objects.create(
        account=there.platform, signed_at=int(timezone.now().timestamp() * 1000), digest="0" * 64,
        seen_at=timezone.now(),
    )  # fmt: skip
    keys(NEW, OLD)
    assert "The older keys are still needed" in reencrypt()[-1]
    assert [line.split(", until")[0] for line in still_needed()] == [
        "1 answers to pushes, for their repeats",
        "1 answers of the partner API, for their repeats",
        "1 moments of signatures that are used up",
    ]
    assert post(address, push).json() == first.json(), "with both keys a repeat is known"
    assert there.api.post("coupons/", call, idempotency_key="once").json() == answer.json()
    assert IssuedCoupon.objects.count() == 2
    later = timezone.now() - timedelta(days=2)
    PushAnswer.objects.update(answered_at=later)
    ApiAnswer.objects.update(answered_at=later)
    SignatureSeen.objects.update(signed_at=int(later.timestamp() * 1000))
    assert reencrypt("--dry-run")[-1] == DONE


def test_what_is_new_counts_under_the_new_key(there: Everything) -> None:
    reencrypt()
    template = published(merchant=there.merchant)
    post(address_of(there.platform, "coupon-detail"), give_push(template.coupon_id))
    there.api.post("coupons/", issue_body(template.coupon_id), idempotency_key="once")
    assert reencrypt("--dry-run")[-1] == DONE


def test_a_key_that_has_not_called_since_the_upgrade_is_named_and_its_next_call_mends_that(
    there: Everything, keys: Any
) -> None:
    keys(OLD)
    ApiKey.objects.update(digest="", key_hash=keyed_hashes(there.api.key)[0])
    Erasure.objects.update(name_digests="", name_hashes=[keyed_hashes(f"customer:{ERASED}")[0]])
    keys(NEW, OLD)
    assert reencrypt()[-2:-1] != DONE
    named = still_needed()
    assert [line.split(" has ")[0] for line in named] == [
        f"API key {ApiKey.objects.get()} of 小程序",
        "1 erased customers, who would not be recognised when they come back",
    ]
    assert of_names([ERASED]).count() == 1
    assert there.api.get("coupon-templates/").status_code == 200
    assert ApiKey.objects.get().key_hash in keyed_hashes(there.api.key), "processes of the release before know it"
    reencrypt()
    assert len(still_needed()) == 1
    keys(NEW)
    assert there.api.get("coupon-templates/").status_code == 200


def test_an_ended_key_is_no_matter(there: Everything) -> None:
    reencrypt()
    ApiKey.objects.update(digest="", expires_at=timezone.now())
    assert reencrypt("--dry-run")[-1] == DONE


@pytest.mark.django_db(transaction=True)
def test_what_somebody_changes_meanwhile_is_kept(there: Everything, keys: Any) -> None:
    started = threading.Event()

    def runs() -> None:
        try:
            started.set()
            reencrypt()
        finally:
            close_connection()

    with transaction.atomic():
        account = SmartCouponAccount.objects.select_for_update().get(pk=there.platform.pk)
        run = threading.Thread(target=runs)
        run.start()
        started.wait(5)
        account.token, account.developer_key = "tok-in-between-1", "entered-in-between"
        account.save()
    run.join(30)
    keys(NEW)
    account = SmartCouponAccount.objects.get(pk=there.platform.pk)
    assert (account.token, account.developer_key) == ("tok-in-between-1", "entered-in-between")
    assert tokens.account_of("tok-in-between-1") == account


@pytest.mark.django_db(transaction=True)
def test_the_documented_steps_while_pushes_come(there: Everything, keys: Any) -> None:
    """The commands of docs/secrets.md in a process of their own; pushes, callbacks and calls go on all the time."""
    at = connection.settings_dict
    environment = {
        **os.environ,
        "DATABASE_URL": f"postgresql://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{at['NAME']}",
        "FIELD_ENCRYPTION_KEYS": f"{NEW},{OLD}",
    }
    template = published(merchant=there.merchant)
    over, statuses = threading.Event(), []

    def goes_on() -> None:
        try:
            while not over.is_set():
                number = len(statuses)
                push = give_push(template.coupon_id, identifier=f"c-{number}")
                statuses.append(post(address_of(there.platform, "coupon-detail"), push).status_code)
                statuses.append(there.api.get("coupon-templates/").status_code)
                statuses.append(tell(callback(there.tills, f"{number}")).status_code)
        finally:
            close_connection()

    working = threading.Thread(target=goes_on)
    working.start()
    try:
        said = documented.run("secrets.md", "A new encryption key", environment)
    finally:
        over.set()
        working.join(30)
    assert said.splitlines()[-1] == DONE
    assert len(statuses) > 10
    assert set(statuses) == {200}
    keys(NEW)
    assert reencrypt("--dry-run")[-1] == "There is one key only, and it opens everything."
    assert post(address_of(there.platform), create_push()).status_code == 200


# Hashes that no encryption key has a part in: what is hashed is random, or is no secret.
_KEYLESS = {"integrations.DfireCallback.digest"}


def test_every_column_of_a_hash_is_thought_of() -> None:
    """A new one is either made anew by `keyed_columns`, or says under which key it was made, or needs none."""
    found = {
        f"{model._meta.label}.{field.name}": model
        for app in ("merchants", "coupons", "integrations")
        for model in apps.get_app_config(app).get_models()
        for field in model._meta.local_concrete_fields
        if not isinstance(field, models.TextField) and ("hash" in field.name or "digest" in field.name)
    }
    assert found.keys() >= _KEYLESS
    for name, model in found.items():
        marked = any(field.name == "under" for field in model._meta.fields)
        assert name in _KEYLESS or marked or hasattr(model, "keyed_columns"), name
