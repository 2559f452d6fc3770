"""Places orders: checks them, mints their codes, and tells their site in the same transaction."""

import json
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from controller.codes import PHONE_TAIL, keyed_hash
from controller.district import schema as s
from controller.district.form import Known, OrderForm, Recipient, read_form
from controller.district.mint import Mint
from controller.district.plan import Plan, SitePlan
from controller.district.seal import Seal
from controller.entries import (
    Down,
    ItemState,
    OrderState,
)
from controller.entries_down import (
    OrderPlaced,
    PlacedCode,
    PlacedItem,
)
from controller.identifiers import is_on_a_card, is_sole_trader, mask_name
from controller.journal import Stream, rfc3339
from controller.ports import Clock
from controller.refusals import FieldsRefused, Reason, Refused
from controller.rows import add_row, first_row, rows
from controller.store import Store, Transaction

SIZE: Final = "S"  # a seal box or a licence's envelope fits the smallest compartment


@dataclass(frozen=True, slots=True)
class Minted:
    """A code with the hashes that its site will know it by."""

    code_id: str
    secret: str
    typed: str
    token: str
    placed: PlacedCode


@dataclass(frozen=True, slots=True)
class Asked:
    """One request to place an order."""

    form: OrderForm
    client: str
    body: str  # keyed hash of the order
    key: str | None  # the client's Idempotency-Key


class Orders:
    def __init__(self, store: Store, clock: Clock, seal: Seal, mint: Mint, plan: Plan) -> None:
        self._store = store
        self._clock = clock
        self._seal = seal
        self._mint = mint
        self._plan = plan
        self._sites = {site.site_id: site for site in plan.sites}

    def place(self, body: Any, client: str, key: str | None = None) -> tuple[str, bool]:
        """The order's number, and whether it is new. The same order again changes nothing.

        FieldsRefused for bad fields, CONFLICT for another order of that number, KEY_REUSED for
        an idempotency key that came with something else before.
        """
        with self._store.read() as connection:
            form = read_form(body, self._known(connection))
        words = json.dumps(form.model_dump(), ensure_ascii=False, sort_keys=True)
        asked = Asked(form, client, self._seal.key_of(words, "order"), key)
        with self._store.read() as connection:
            if (number := self._asked_before(connection, asked)) is not None:
                return number, False
        minted = self._mint_code(self._sites[form.site_id], form)
        while True:
            with self._store.write() as tx:
                if (number := self._asked_before(tx.connection, asked)) is not None:
                    self._remember(tx, asked)
                    return number, False
                if not self._is_taken(tx.connection, form.site_id, minted.typed):
                    self._write(tx, asked, minted)
                    return form.order_no, True
            minted = self._mint_code(self._sites[form.site_id], form)

    def _known(self, connection: Connection) -> Known:
        machines: dict[str, frozenset[str] | None] = dict.fromkeys(self._sites)
        for row in rows(connection, s.site_status):
            if row.version is not None:
                machines[row.site_id] = frozenset()
        for row in rows(connection, s.site_machines):
            machines[row.site_id] = (machines.get(row.site_id) or frozenset()) | {row.machine}
        return Known(
            {site_id: machines[site_id] for site_id in self._sites},
            frozenset(self._plan.vendors),
            self._plan.kinds,
            self._clock.now().date(),
        )

    def _asked_before(self, connection: Connection, asked: Asked) -> str | None:
        """The number, if this very order stands already."""
        number = asked.form.order_no
        if asked.key is not None:
            earlier = first_row(connection, s.idempotency, client=asked.client, key=asked.key)
            if earlier is not None and earlier.request != asked.body:
                raise Refused(Reason.KEY_REUSED)
        row = first_row(connection, s.orders, order_no=number)
        if row is None:
            return None
        if (row.client, row.body) != (asked.client, asked.body):
            raise Refused(Reason.CONFLICT, order=number)
        return number

    def _remember(self, tx: Transaction, asked: Asked) -> None:
        if asked.key is None:
            return
        mine = {"client": asked.client, "key": asked.key}
        if first_row(tx.connection, s.idempotency, **mine) is None:
            add_row(
                tx.connection,
                s.idempotency,
                **mine,
                request=asked.body,
                order_no=asked.form.order_no,
                at=rfc3339(self._clock.now()),
            )

    def _mint_code(self, site: SitePlan, form: OrderForm) -> Minted:
        """Slow on purpose (scrypt for each phone): never inside a transaction."""
        secret, typed, code_id = self._mint.secret(), self._mint.typed(), self._mint.id()
        with_card: list[Recipient] = []
        without: list[Recipient] = []
        for recipient in form.recipients:
            has_card = recipient.id_number and is_on_a_card(recipient.id_number)
            (with_card if has_card else without).append(recipient)
        tails = dict.fromkeys(recipient.phone[-PHONE_TAIL:] for recipient in form.recipients)
        hashes = {
            tail: (
                self._mint.hashed(site.typed_salt, typed, tail),
                keyed_hash(site.code_key, f"{secret}{tail}"),
            )
            for tail in tails
        }
        placed = PlacedCode(
            code_id=code_id,
            qr=keyed_hash(site.code_key, secret),
            typed=[slow for slow, _ in hashes.values()],
            tails=[fast for _, fast in hashes.values()],
            id_hashes=[keyed_hash(site.code_key, each.id_number or "") for each in with_card],
        )
        if with_card and without:
            alone = dict.fromkeys(each.phone[-PHONE_TAIL:] for each in without)
            placed["without_card"] = [digest for tail in alone for digest in hashes[tail]]
        return Minted(code_id, secret, typed, self._mint.token(), placed)

    def _is_taken(self, connection: Connection, site_id: str, typed: str) -> bool:
        """Whether another open code of that site has these eight digits."""
        key = self._seal.key_of(typed, "typed")
        found = first_row(connection, s.codes, site_id=site_id, typed_key=key, state="open")
        return found is not None

    def _write(self, tx: Transaction, asked: Asked, minted: Minted) -> None:
        form = asked.form
        company = form.company
        add_row(
            tx.connection,
            s.orders,
            order_no=form.order_no,
            client=asked.client,
            site_id=form.site_id,
            company=company.name,
            uscc=company.uscc,
            body=asked.body,
            state=OrderState.PLACED,
            reach=form.needs.reach,
            retention_s=self._plan.retention_s,
            placed_at=rfc3339(self._clock.now()),
        )
        placed = OrderPlaced(
            order=form.order_no,
            company=mask_name(company.name) if is_sole_trader(company.uscc) else company.name,
            items=self._write_items(tx.connection, form),
            codes=[minted.placed],
            retention_s=self._plan.retention_s,
            needs={"reach": form.needs.reach} if form.needs.reach else {},
        )
        self._write_recipients(tx.connection, form)
        self._write_code(tx.connection, form, minted)
        self._remember(tx, asked)
        tx.append(form.site_id, Stream.DOWN, Down.ORDER_PLACED, dict(placed))

    def _write_items(self, connection: Connection, form: OrderForm) -> list[PlacedItem]:
        placed = []
        for position, item in enumerate(form.items):
            item_id = item.item_id or self._mint.id()
            if first_row(connection, s.items, item_id=item_id) is not None:
                raise FieldsRefused([(f"items[{position}].item_id", "is in another order")])
            words = PlacedItem(
                item_id=item_id,
                kind=item.kind,
                holder=item.holder,
                vendor_id=item.vendor_id,
                label=self._mint.label(),
                size=SIZE,
            )
            add_row(
                connection,
                s.items,
                **words,
                order_no=form.order_no,
                position=position,
                seals=" ".join(item.seals),
                state=ItemState.EXPECTED,
            )
            placed.append(words | {"filed": True} if item.seal_codes else words)
        return placed

    def _write_recipients(self, connection: Connection, form: OrderForm) -> None:
        for recipient in form.recipients:
            recipient_id = self._mint.id()
            close = self._seal.close
            paper = recipient.id_number
            add_row(
                connection,
                s.recipients,
                recipient_id=recipient_id,
                order_no=form.order_no,
                role=recipient.role,
                name=close(recipient.name, f"name {recipient_id}"),
                phone=close(recipient.phone, f"phone {recipient_id}"),
                id_number=close(paper, f"id {recipient_id}") if paper else None,
                phone_key=self._seal.key_of(recipient.phone, "phone"),
            )

    def _write_code(self, connection: Connection, form: OrderForm, minted: Minted) -> None:
        code_id = minted.code_id
        add_row(
            connection,
            s.codes,
            code_id=code_id,
            order_no=form.order_no,
            site_id=form.site_id,
            secret=self._seal.close(minted.secret, f"secret {code_id}"),
            typed=self._seal.close(minted.typed, f"typed {code_id}"),
            typed_key=self._seal.key_of(minted.typed, "typed"),
            token=self._seal.close(minted.token, f"token {code_id}"),
            token_key=self._seal.key_of(minted.token, "token"),
            state="open",
        )
