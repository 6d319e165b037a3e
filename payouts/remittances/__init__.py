"""The remittances of a cycle: what each member is told, cut out of the payers' files, written, recorded, delivered."""
