"""What was used and what it cost: usage, cost in nano-dollars, receipts, the journal and the ledger."""
