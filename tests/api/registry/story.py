"""The documented bodies of all verbs, played one after another: a small town's compliance year."""

from api.registry.schemas import ReceiptBody
from api.routers.registry_acts import act_examples

from ..conftest import Registry

KINDS = {"transfer_linked": "transfer"}
# Verb, which of its documented bodies, the id it is given. What comes later needs what came before.
STORY = [
    ("close_scheme", 0, "s-00"),
    ("open_scheme", 0, "s-01"),
    ("register_entity", 0, "s-02"),
    ("register_entity", 1, "s-03"),
    ("open_account", 0, "s-04"),
    ("open_account", 1, "s-05"),
    ("open_account", 2, "s-06"),
    ("close_account", 0, "s-07"),
    ("appoint", 0, "s-08"),
    ("add_instrument", 0, "s-09"),
    ("issue", 0, "s-10"),
    ("open_account", 3, "s-11"),
    ("issue", 1, "s-11b"),
    ("transfer", 1, "s-11c"),
    ("opening", 0, "s-12"),
    ("pre_allocate", 0, "s-13"),
    ("deposit", 0, "s-14"),
    ("transfer", 0, "example-transfer"),
    ("reverse", 0, "s-16"),
    ("transfer_linked", 0, "s-17"),
    ("reserve", 0, "example-reserve"),
    ("settle", 0, "s-19"),
    ("reserve", 0, "example-reserve-2"),
    ("void", 0, "s-21"),
    ("withdraw", 0, "s-22"),
    ("cancel", 0, "s-23"),
    ("block_account", 0, "s-24"),
    ("unblock_account", 0, "s-25"),
    ("report_verified", 0, "s-26"),
    ("finalise_allocation", 0, "s-27"),
    ("surrender", 0, "s-28"),
    ("use_offsets", 0, "s-29"),
    ("carry_over", 0, "s-30"),
]


def play(registry: Registry) -> None:
    """Carry out the story; every act must be done."""
    for verb, number, client_id in STORY:
        body = act_examples()[verb][number]
        answer = registry.act(verb, client_id, **body)
        assert answer.status_code == 201, (verb, answer.text)
        receipt = ReceiptBody.model_validate(answer.json())
        kind = str(body.get("kind", verb)) if verb == "transfer" else KINDS.get(verb, verb)
        assert (receipt.client_id, receipt.kind, receipt.replayed) == (client_id, kind, False)
        assert answer.headers["location"] == f"/v1/registry/transactions/{client_id}"
