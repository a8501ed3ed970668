"""Points: accounts, lots and the append-only entries that explain every balance.

An *account* is a member's; its row is the lock of all that is his here. An *entry* is one line of
history, numbered 1, 2, 3… within the member and never changed. An accrual is one *op* (the command
and its key), one entry and one *lot*: points with their own life, *pending* until `active_at`,
then *active*, gone at `expires_at`. An *alloc* says which lots a debit was taken from. The *proof*
of an accrual (ids and numbers; its *parts* are what each line earned by each rule) is written with
it and never recomputed.

What holds: balances never go below zero; parts add up to their accrual, entries to the balance,
lots to the balance; the same key does the same thing once; what is recorded never goes back in
time within a member, though it may have *occurred* earlier.

Python decides (`model`), SQL keeps (`operations` call the schema's functions): every instant is
handed in. `replay` is the same ledger as a pure fold, for the backtest and as the tests' model.
"""
