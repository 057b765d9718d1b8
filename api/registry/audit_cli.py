"""The command `greenfin audit`: everything the ledger claims, recomputed from its log.

Knows the command, its options and what its exit code means. The checks stand in `carbon.ledger.audit`.
"""

import re
from typing import Annotated, Final

import typer

from api.options import FAILED, FormatOption, LangOption, format_of, lang_of
from api.registry.session import registry

_SEVERITIES: Final = ("error", "warning", "info")
_SHA256: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_SEAL: Final = "SEAL"  # the hash chain, which has no number among the checks

audit_app = typer.Typer(rich_markup_mode=None)


@audit_app.command()
def audit(
    head: Annotated[
        str | None,
        typer.Option("--head", help="A digest published earlier: shows whether the whole log was rewritten."),
    ] = None,
    severity: Annotated[
        str, typer.Option("--severity", help="Show error, warning or info and what is worse.")
    ] = "info",
    code: Annotated[
        list[str] | None, typer.Option("--code", help="Show this check, such as C18; again for more.")
    ] = None,
    checks: Annotated[bool, typer.Option("--checks", help="List the checks, and do nothing else.")] = False,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Recompute holdings, blocks, statuses and the hash chain from the log, and list what does not hold.

    Exit code 1 where there is an error, shown or not; 0 where there are at most warnings and remarks.
    """
    from api.clock import now_us
    from api.registry import audit_screens
    from api.registry import store as registry_store

    chosen, tongue = format_of(form), lang_of(lang)
    if severity not in _SEVERITIES:
        raise typer.BadParameter(f"found {severity!r}; expected {', '.join(_SEVERITIES)}", param_hint="--severity")
    if head is not None and not _SHA256.fullmatch(head):
        raise typer.BadParameter(f"found {head[:80]!r}; expected 64 digits 0-9, a-f", param_hint="--head")
    known = registry_store.checks()
    unknown = [one for one in code or [] if one != _SEAL and one not in known["code"]]
    if unknown:
        raise typer.BadParameter(f"found {unknown[0]!r}; expected C01 to C44, or {_SEAL}", param_hint="--code")
    if checks:
        audit_screens.show_checks(known, chosen, tongue)
        return
    with registry() as store:
        findings = registry_store.audit(store, now_us(), head=head)
    worse = _SEVERITIES[: _SEVERITIES.index(severity) + 1]
    audit_screens.show_findings(findings, worse, code, chosen, tongue)
    if "error" in findings["severity"]:
        raise typer.Exit(FAILED)
