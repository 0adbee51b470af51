"""What customers, platforms, cashiers and staff do, at random from a seed: the operations and how often each comes."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from coupons.models import IssuedCoupon
from integrations.models import OutboxAttempt
from integrations.models.outbox import Phase, RowKind
from tests.chaos.calling import Caller, Refusal
from tests.chaos.faults import ANSWERED_LATE, UNCERTAIN
from tests.chaos.portal import ChaosPortal
from tests.chaos.promises import Promises
from tests.chaos.staff import Admin, Desk
from tests.chaos.till import Courier, Till
from tests.e2e.portal import TOKEN

DRIVERS = 16
TEMPLATES = 6
CUSTOMERS = 400
UNBOUND = 40  # of them have no openid at first
OVERTIME, OVERTIME_SECONDS = 1.5, 120  # a load planned for n seconds is given up after 1.5 n + 120
SENT_SECONDS = 5.0
IN_TIME = ": in time"
FIRST_END = timezone.now() + timedelta(days=20)  # of the coupons that are pushed

OPERATIONS = {
    "push": 44, "issue at the desk": 6, "issue in the admin": 1,
    "redeem": 14, "redeem, told twice": 6, "redeem, told late": 2, "redeem, clock skewed": 4,
    "redeem before the answer": 3,
    "revoke": 6, "revoke in the admin": 1, "push and revoke": 3, "revoke behind an uncertain deliver": 2,
    "rebind": 4, "rebind behind an uncertain deliver": 2,
    "transfer": 4, "transfer and redeem": 1, "transfer behind an uncertain deliver": 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shift:
    """How much one driver does: so many accepted operations in about so many seconds."""

    coupon_ids: list[str]
    operations: int
    seconds: float


class Driver:
    """One of several that work side by side."""

    def __init__(self, portal: ChaosPortal, promises: Promises, courier: Courier, *, seed: int, number: int) -> None:
        self.push_url = f"{portal.url}/hooks/smart-coupon/{TOKEN}"
        self.promises = promises
        self.random = random.Random(seed * 100 + number)
        self.number = number
        self.serial = 0
        self.late_seconds = 0.0
        self.platform = Caller(promises)
        self.desk = Desk(portal, promises)
        self.admin = Admin(portal, promises)
        self.till = Till(portal, promises, courier, self.random)
        self.coupon_ids: list[str] = []

    def work(self, shift: Shift) -> None:
        """Work at a steady rate until so many operations were accepted, or the time is long over."""
        self.coupon_ids, self.late_seconds = shift.coupon_ids, shift.seconds / 4
        began = due = time.monotonic()
        done = 0
        while done < shift.operations and time.monotonic() < began + OVERTIME * shift.seconds + OVERTIME_SECONDS:
            kind = self.random.choices(list(OPERATIONS), list(OPERATIONS.values()))[0]
            if not self._do(kind):
                self.promises.count(f"refused: {kind}")
                time.sleep(0.02)
                continue
            self.promises.count(kind)
            done += 1
            due += self.random.uniform(0, 2 * shift.seconds / shift.operations)
            time.sleep(max(0.0, due - time.monotonic()))

    def _do(self, kind: str) -> bool:
        """One operation; False where it was refused, or what it needs is not there."""
        try:
            close_old_connections()
            match kind:
                case "push":
                    return self.push() is not None
                case "push and revoke":
                    return (code := self.push()) is not None and self.desk.revoke(code)
                case "issue at the desk":
                    return self._issue(self.desk.issue)
                case "issue in the admin":
                    return self._issue(self.admin.issue)
                case "rebind":
                    return self._rebind(self._someone())
                case "redeem before the answer":
                    return self._redeem_before_the_answer()
                case _ if kind.endswith("behind an uncertain deliver"):
                    return self._behind_uncertain(kind)
            code = self.promises.some_code(self.random, untouched=kind.startswith("transfer"))
            return code is not None and self._do_to(kind, code)
        except DatabaseError:  # the drivers look into it too, and it was away
            self.promises.count("database away for a driver")
            time.sleep(0.2)
            return False

    def _do_to(self, kind: str, code: str) -> bool:
        match kind:
            case "redeem":
                return self.till.redeem(code)
            case "redeem, told twice":
                return self.till.twice(code)
            case "redeem, told late":
                return self.till.late(code, self.late_seconds)
            case "redeem, clock skewed":
                return self.till.skewed(code)
            case "revoke":
                return self.desk.revoke(code)
            case "revoke in the admin":
                return self.admin.revoke(code)
            case "transfer":
                return self.desk.transfer(code, self._someone())
            case "transfer and redeem":
                given = self.desk.transfer(code, self._someone())
                time.sleep(self.random.uniform(0, 0.3))
                return self.till.redeem(code) and given
        raise AssertionError(kind)

    def create(self, title: str) -> str:
        """Push a new coupon and return its id."""
        end = (timezone.now() + timedelta(days=60)).strftime("%Y-%m-%d 23:59:59")
        body = {
            "coupon_name": title, "coupon_amount": 10, "min_buy_price": 0, "coupon_type": 0,
            "expiration_type": 1, "expiration_time": end, "merchant_id": "88",
        }  # fmt: skip
        return str(self.platform.insist(f"{self.push_url}/coupon/", body, what="push")["result"]["coupon_id"])

    def push(self, identifier: str = "") -> str | None:
        """Push a detail until it is answered. Its end's second is no other push's, or it would be a repeat of that."""
        self.serial += 1
        identifier = identifier or self._someone()
        end = FIRST_END + timedelta(seconds=self.serial * DRIVERS + self.number)
        body = {
            "identifier": identifier,
            "coupon_id": self.random.choice(self.coupon_ids),
            "merchant_id": "88",
            "expiration_time": end.strftime("%Y-%m-%d %H:%M:%S"),
        }
        try:
            answer = self.platform.insist(f"{self.push_url}/coupon-detail/", body, what="push")
        except Refusal:
            return None
        code = str(answer["result"]["coupon_detail_id"])
        self.promises.given(code, identifier)
        return code

    def _issue(self, issue: Callable[[str, str], str | None]) -> bool:
        """Staff give a coupon to somebody new, who most often turns up with an openid and a number."""
        identifier = self._new("desk")
        code = issue(self.random.choice(self.coupon_ids), identifier)
        if self.random.random() < 0.9:
            self.desk.bind(identifier, f"o-{identifier}", mobile=f"138{self.random.randrange(10**8):08d}")
        return code is not None

    def _rebind(self, identifier: str) -> bool:
        return self.desk.bind(identifier, f"o-{identifier}-{self.number}-{self.random.randrange(10**6)}")

    def _behind_uncertain(self, kind: str) -> bool:
        """Do it to a coupon right when its delivery has gone out and its answer is lost or late."""
        identifier, code = self._aimed(self.random.choice(UNCERTAIN))
        if code is None or not self._sent(code):
            return False
        if self.random.random() < 0.3:
            time.sleep(self.random.uniform(0, 1.5))
        if kind.startswith("revoke"):
            done = self.desk.revoke(code)
        elif kind.startswith("rebind"):
            done = self._rebind(identifier)
        else:
            self.promises.told(self.promises.transferred, code)
            done = self.desk.transfer(code, self._someone())
        if done and not IssuedCoupon.objects.filter(code=code).exclude(delivered_openid="").exists():
            self.promises.count(kind + IN_TIME)
        return done

    def _redeem_before_the_answer(self) -> bool:
        """The till redeems what dfire holds already, while our delivery still waits for its answer."""
        _, code = self._aimed(self.random.choice(ANSWERED_LATE))
        return code is not None and self.till.as_soon_as_held(code, seconds=SENT_SECONDS)

    def _aimed(self, mobile: str) -> tuple[str, str | None]:
        """A coupon for somebody new, whose number makes the sandbox do to its delivery what is wanted.

        The push comes first and waits for the customer, so that its code is known before anything is sent.
        """
        identifier = self._new("aim")
        code = self.push(identifier)
        if code is not None:
            self.desk.bind(identifier, f"o-{identifier}", mobile=mobile)
        return identifier, code

    def _sent(self, code: str) -> bool:
        """Wait until a worker has begun to send the coupon's delivery."""
        deadline = time.monotonic() + SENT_SECONDS
        sends = OutboxAttempt.objects.filter(row__coupon__code=code, row__kind=RowKind.DELIVER, phase=Phase.SEND)
        while not sends.exists():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def _someone(self) -> str:
        return f"139{self.random.randrange(CUSTOMERS):08d}"

    def _new(self, kind: str) -> str:
        self.serial += 1
        return f"{kind}-{self.number}-{self.serial}"
