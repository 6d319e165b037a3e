"""The flat monthly fee: assessed, trued up at an exit, waived, refunded, registered, invoiced."""
