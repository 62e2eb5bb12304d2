"""The shop: an API that takes orders, a worker that mails receipts, an engine that ticks, and a scheduler."""
