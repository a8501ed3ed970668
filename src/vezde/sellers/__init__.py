"""Where a purchase was made: a name, a kind and a sales channel for the INN on a receipt.

A *place* is what a shopper calls it (Ozon, Магнит Косметик); a *sales channel* is what the
programme sets a rate for; a *label* is what an operator said an INN is; the *registry* is the
shipped list of well-known places, facts only, each with how it is known; an *unknown* INN earns as
`other` and is remembered until somebody names it.

Invariants: the brand's own shops come before labels, labels before the registry, the registry
before what a till calls itself. Nothing is guessed: no place means `other`, no region means no
time zone. A label never changes what was decided before it.
"""
