"""Four eyes: what one member of staff may not do alone waits for a second person (docs/approvals.md).

`limits` says what that is and is asked by the services themselves, `facts` reads what a request is about, `asking`
keeps one, `deciding` carries it out or turns it down, `lapsing` lets go of what nobody can approve any more. Import the
modules: services that `deciding` calls use `limits` and `lapsing`.

Locks are taken in the order customer, coupon, batch, template, request; the line of what one does alone comes last.
"""
