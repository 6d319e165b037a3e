"""Members' bank accounts: changed by request, call-back, second person, cooling period and prenote; stopped at need."""
