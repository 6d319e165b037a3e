"""A bank for tests and the demonstration: takes our payment files, answers with statements, returns and corrections."""
