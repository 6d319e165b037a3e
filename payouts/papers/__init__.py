"""What people hold in their hands: notices of payment, statements and invoices as PDF."""
