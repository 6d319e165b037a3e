"""When a member is paid: its schedule, its minimum, and who is paid by the payer directly."""
