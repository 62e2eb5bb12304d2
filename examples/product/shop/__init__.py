"""The shop: an API that takes orders, and a worker that mails receipts."""
