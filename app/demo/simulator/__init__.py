"""A bank that keeps the custodial account: it takes our files and answers with statements, returns and corrections."""
