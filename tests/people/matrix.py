"""Who reaches what of the admin: one table, which tests/people/test_matrix.py tries cell by cell.

Under each model stand lines of who (a letter each) and what: its `list`, a row's `page`, `save` of that page's form,
`add`, `delete`, `export` of the list to a file, and its actions by their address; `selected:` are those of the list.
`-` is nobody. Administrators reach it at every merchant, the others at those that they see alone. Whoever is named
nowhere (no role, inactive, nobody) reaches nothing. A history goes by its page, an XLSX file by the other export. All
who see a request for approval are shown the question whether to withdraw it; only who asked can (tests/approvals).
"""

from collections.abc import Iterable

WHO = {
    "S": "superuser", "A": "Administrator", "M": "Marketing", "P": "Operations", "U": "Auditor",
    "N": "no role", "X": "inactive", "?": "anonymous",
}  # fmt: skip
ADMINISTRATORS = "SA"
NOBODY = "NX?"
TABLE = """
auth.group
    SA     list page add export
    -      save delete
auth.user
    SA     list page save add delete export <id>/password reset-two-factor
coupons.approval
    SAMPU  list page withdraw
    SAPU   export
    SAP    approve refuse
    -      save add delete
coupons.batch
    SAMPU  list page
    SAPU   export failed
    SAM    start pause resume recall cancel
    -      save add delete
coupons.batchrow
    SAMPU  list page
    SAPU   export
    -      save add delete
coupons.couponevent
    SAMPU  list page
    SAPU   export
    -      save add delete
coupons.coupontemplate
    SAMPU  list page compare
    SAPU   export
    SAM    save add issue issue-many publish resume pause duplicate sync recall end remove
    SAM    selected:publish_selected selected:pause_selected selected:end_selected
    -      delete shops preview
coupons.dayfigures
    SA     list page export
    -      save add delete
coupons.donealone
    SA     list page export
    -      save add delete
coupons.issuedcoupon
    SAMPU  list page why
    SAMP   transfer reissue revoke selected:revoke_selected
    SAPU   export
    SAM    resend selected:resend_selected
    SAP    was-redeemed was-not-redeemed
    -      save add delete
coupons.reissue
    SAMPU  list page
    SAPU   export
    -      save add delete
coupons.rolledfigures
    SA     list page export
    -      save add delete
coupons.templateversion
    SAMPU  list page
    SAPU   export
    -      save add delete
integrations.accountstate
    SA     list page export
    -      save add delete
integrations.alerttarget
    SA     list page save add delete export test
integrations.apianswer
    SA     list page export
    -      save add delete
integrations.apicall
    SAMPU  list page
    SAPU   export
    SA     signatures
    -      save add delete
integrations.apikey
    SA     list page save export end-now end-soon
    -      add delete
integrations.consumereport
    SAMPU  list page
    SAPU   export
    SAP    retry selected:retry_selected
    -      save add delete
integrations.customeratrisk
    SA     list page export
    -      save add delete
integrations.dfirecallback
    SAMPU  list page
    SAPU   export
    SAP    try apply accept ask dismiss selected:try_selected selected:settle_selected
    -      save add delete
integrations.finding
    SAMPU  list page
    SAPU   export
    SAP    repair accept selected:repair_selected selected:accept_selected
    -      save add delete
integrations.incident
    SAMPU  list page
    SAPU   export
    -      save add delete
integrations.notice
    SA     list page export
    -      save add delete
integrations.outboxattempt
    SA     list page export
    -      save add delete
integrations.outboxrow
    SAMPU  list page
    SAPU   export
    SAP    retry-alike retry cancel selected:retry_selected selected:cancel_selected
    -      save add delete
integrations.partnerapp
    SAMPU  <int:object_id>/console
    SA     list page save add delete export to-console new-key add-webhook
integrations.partnerorder
    SAMPU  list page
    SAPU   export
    -      save add delete
integrations.push
    SAMPU  list page
    SAPU   export
    -      save add delete
integrations.pushanswer
    SA     list page export
    -      save add delete
integrations.readsinflight
    SA     list page export
    -      save add delete
integrations.reconciliation
    SAMPU  list page
    SAPU   export
    SAP    confirm repair accept go-on cancel
    -      save add delete
integrations.reportlane
    SA     list page export
    -      save add delete
integrations.signatureseen
    SA     list page export
    -      save add delete
integrations.unknowncodes
    SA     list page save export let-go-on
    -      add delete
integrations.webhookattempt
    SA     list page export
    -      save add delete
integrations.webhookdelivery
    SAMPU  list page
    SAPU   export
    SAP    resend selected:resend_selected
    -      save add delete
integrations.webhookendpoint
    SA     list page save add delete export test resend-failed new-secret switch-on switch-off
integrations.webhooklane
    SA     list page export
    -      save add delete
merchants.auditentry
    SAMPU  list page
    SAPU   export
    -      save add delete
merchants.authenticator
    SAU    list page export
    -      save add delete
merchants.customer
    SAMPU  list page
    SAMP   save add by-file/example.csv by-file
    SAPU   export
    SAP    erase
    -      delete
merchants.customerfile
    SAMPU  list page
    SAPU   export not-done
    SAMP   start resume cancel
    -      save add delete
merchants.customerfilepart
    SA     list page export
    -      save add delete
merchants.customerfilerow
    SAMPU  list page
    SAPU   export
    -      save add delete
merchants.dfireaccount
    SA     list page save add delete export test
merchants.erasure
    SAMPU  list page
    SAPU   export
    -      save add delete
merchants.failedsignin
    SAU    list page export
    -      save add delete
merchants.merchant
    SAMPU  list page
    SAPU   export
    SAP    save compare
    SA     add delete
merchants.merchantscope
    SA     list page save add delete export
merchants.shop
    SAMPU  list page
    SAPU   export
    SAP    save add delete
merchants.signin
    SAU    list page export
    -      save add delete
merchants.signinlock
    SAU    list page export
    SA     unlock selected:unlock_selected
    -      save add delete
merchants.smartcouponaccount
    SA     list page save add delete export test-push rotate end-previous
"""
# Pages that are no model's, and who is shown them. The rest of these addresses show nothing of anybody's.
PAGES = {
    "/admin/": "SAMPUN",
    "/admin/search/": "SAMPUN",
    "/admin/settlement/": "SAMPU",
    "/admin/settlement/?format=csv": "SAPU",
    "/admin/settlement/budgets/": "SAMPU",
    "/admin/settlement/budgets/?format=csv": "SAPU",
    "/admin/two-factor/set-up/": "SAMPUN",
    "/admin/password_change/": "SAMPUN",
}
SHOW_NOTHING = {
    "/admin/autocomplete/", "/admin/jsi18n/", "/admin/login/", "/admin/logout/", "/admin/password_change/done/",
    "/admin/two-factor/", "/admin/two-factor/code/", "/admin/r/<path:content_type_id>/<path:object_id>/",
}  # fmt: skip


def listed() -> dict[str, dict[str, str]]:
    """Who reaches each thing, by model."""
    found: dict[str, dict[str, str]] = {}
    for line in TABLE.strip().splitlines():
        if not line.startswith(" "):
            here = found.setdefault(line.strip(), {})
            continue
        who, *names = line.split()
        here |= dict.fromkeys(names, "" if who == "-" else who)
    return found


def written(letter: str, wrong: Iterable[tuple[str, str, bool]]) -> str:
    """What is otherwise than the table says."""
    who = f"{WHO[letter]} ({letter})"
    return "\n".join(
        f"{who} {'reaches' if is_so else 'does not reach'} {model}: {what}" for model, what, is_so in wrong
    )
